//! Small files that name packages, describe images or tell of weaknesses, to mutate.

/// Files by the reader that the first byte of a fuzzer's input chooses (`NAMES` of `fuzz/src/dependencies.rs`).
#[rustfmt::skip]
pub const FILES: &[(u8, &str)] = &[
    (0, "# list\n--index-url https://u:p@h.example/simple\n--extra-index-url https://download.pytorch.org/whl/cu121\n-r base.txt\ntorch==2.4.0+cu121 --hash=sha256:aa \\\n  --hash=sha256:bb\nnumpy>=1.20,<2 ; python_version < '3.12'\n-e git+https://h.example/peft@main#egg=peft[x]\nreqeusts\nx @ https://h.example/x-1.0-py3-none-any.whl#sha256=0000\n./folder[a,b]\n"),
    (0, "@EXPLICIT\nhttps://conda.example/main/linux-64/zlib-1.2.11-h_1.conda#cf7190238072a41e9579e4476a6a60b8\n"),
    (1, "numpy==1.26.4\ntorch<3\n"),
    (2, "[build-system]\nrequires = ['setuptools>=61']\n[project]\nname = 'x'\nrequires-python = '>=3.10'\ndependencies = ['torch>=2', \"numpy; sys_platform=='linux'\"]\ndynamic = ['version']\n[project.optional-dependencies]\ngpu = ['triton==3.0']\n[dependency-groups]\ndev = ['pytest', {include-group = 'docs'}]\ndocs = ['sphinx']\n[[tool.uv.index]]\nname = 'cpu'\nurl = 'https://h.example/cpu'\nexplicit = true\n[tool.uv.sources]\ntorch = [{index = 'cpu', marker = \"sys_platform=='darwin'\"}, {git = 'https://h.example/t', rev = 'v1', extra = 'gpu'}]\n"),
    (2, "[tool.poetry.dependencies]\npython = '^3.10'\ntorch = {version = '~2.4', extras = ['a'], source = 's'}\nx = [{version = '1', python = '<3.11'}, {git = 'https://h.example/x', branch = 'b'}]\n[[tool.poetry.source]]\nname = 's'\nurl = 'https://h.example/'\npriority = 'supplemental'\n[tool.pdm.dev-dependencies]\nt = ['-e file:///y#egg=y']\n"),
    (3, "[options]\npython_requires = >=3.9\ninstall_requires =\n    torch>=2\n    numpy; python_version<'3.12'\n[options.extras_require]\ndev = pytest\n"),
    (4, "from setuptools import setup\nbase = ['torch>=2']\nextras = {'dev': base + ['pytest']}\nsetup(name='x', install_requires=base, extras_require=extras, python_requires='>=3.9')\n"),
    (5, "[[source]]\nname = 'pypi'\nurl = 'https://pypi.org/simple'\nverify_ssl = false\n[packages]\ntorch = '*'\nx = {git = 'https://h.example/x.git', ref = 'v1'}\n[requires]\npython_version = '3.11'\n"),
    (6, "name: x\nchannels: [conda-forge, 'https://u:p@c.example/c']\ndependencies:\n  - python=3.11\n  - pytorch::torchvision>=0.19\n  - zlib=1.2.11=h_1\n  - pip:\n    - peft==0.13 --hash=sha256:aa\n    - -r base.txt\n"),
    (7, "python: 3.11.4\nbuild_dependencies: [pip==24.0]\ndependencies: [-r requirements.txt]\n"),
    (8, "3.11.4\npypy3.10\n"),
    (9, "version = 1\nrequires-python = '>=3.10'\n[[package]]\nname = 'x'\nversion = '0.1'\nsource = { virtual = '.' }\ndependencies = [{ name = 'tqdm', marker = \"sys_platform=='linux'\" }]\n[[package]]\nname = 'tqdm'\nversion = '4.67.1'\nsource = { registry = 'https://pypi.org/simple' }\nsdist = { url = 'https://h.example/t.tar.gz', hash = 'sha256:aa', size = 1 }\nwheels = [{ url = 'https://h.example/t.whl', hash = 'sha256:bb' }]\n"),
    (10, "[[package]]\nname = 'tqdm'\nversion = '4.67.1'\ngroups = ['main']\nfiles = [{file = 't.whl', hash = 'sha256:bb'}]\n[package.dependencies]\ncolorama = {version = '*', markers = \"platform_system=='Windows'\"}\n[package.source]\ntype = 'git'\nurl = 'https://h.example/t'\nreference = 'main'\nresolved_reference = '0123456789abcdef0123456789abcdef01234567'\n[metadata]\nlock-version = '2.1'\n"),
    (11, "[metadata]\ngroups = ['default', 'dev']\nlock_version = '4.5.0'\n[[package]]\nname = 'tqdm'\nversion = '4.67.1'\ngroups = ['default']\ndependencies = ['colorama; platform_system==\"Windows\"']\nfiles = [{file = 't.whl', hash = 'sha256:bb'}]\n"),
    (12, "lock-version = '1.0'\ncreated-by = 'uv'\nrequires-python = '>=3.10'\ndependency-groups = ['docs']\n[[packages]]\nname = 'tqdm'\nversion = '4.67.1'\nindex = 'https://pypi.org/simple'\nwheels = [{ name = 't.whl', url = 'https://h.example/t.whl', hashes = { sha256 = 'bb' } }]\n[packages.vcs]\ntype = 'git'\nurl = 'https://h.example/t'\ncommit-id = '0123'\n"),
    (13, "{\"_meta\": {\"hash\": {\"sha256\": \"aa\"}, \"pipfile-spec\": 6, \"requires\": {\"python_version\": \"3.11\"}, \"sources\": [{\"name\": \"pypi\", \"url\": \"https://pypi.org/simple\", \"verify_ssl\": true}]}, \"default\": {\"tqdm\": {\"hashes\": [\"sha256:bb\"], \"index\": \"pypi\", \"markers\": \"python_version >= '3.7'\", \"version\": \"==4.67.1\"}}, \"develop\": {}}"),
    (14, "metadata:\n  channels: [{url: conda-forge, used_env_vars: []}]\n  platforms: [linux-64]\npackage:\n- {name: zlib, version: 1.2.11, manager: conda, platform: linux-64, dependencies: {libzlib: 1.2.11}, url: 'https://conda.example/main/linux-64/zlib-1.2.11-h_1.conda', hash: {md5: cf7190238072a41e9579e4476a6a60b8}, category: main, optional: false}\n- {name: tqdm, version: 4.67.1, manager: pip, platform: linux-64, url: 'https://files.pythonhosted.org/t.whl', hash: {sha256: bb}, category: dev}\n"),
    (15, "# platform: linux-64\n@EXPLICIT\nhttps://u:p@conda.example/main/linux-64/_libgcc_mutex-0.1-conda_forge.tar.bz2#d7c89558ba9fa0495403155b64376d81\n# pip mdurl @ https://files.pythonhosted.org/mdurl-0.1.2-py3-none-any.whl#sha256=84008a41e51615a49fc9966191ff91509e3c40b939176e643fd50a5c2196b8f8\n"),
    (16, "# syntax=docker/dockerfile:1\nARG CUDA=12.4.1\nFROM nvidia/cuda:${CUDA}-devel-ubuntu22.04 AS base\nENV PIP_EXTRA_INDEX_URL=https://h.example/simple TOKEN=abc\nRUN --mount=type=cache,target=/x pip install torch==2.4.0 \\\n  && curl -sL https://h.example/i.sh | sh\nRUN <<EOF\napt-get install -y git\nEOF\nFROM base\nCOPY --from=base /a /b\nADD https://h.example/x.tar.gz /x\nUSER 1000\n"),
    (17, "services:\n  a: {image: \"redis:7@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", environment: {POSTGRES_PASSWORD: x}}\n  b: {build: {context: ., dockerfile: D}}\n"),
];

/// Entries of a database of advisories.
#[rustfmt::skip]
pub const ADVISORIES: &[&str] = &[
    r#"{"schema_version": "1.7.0", "id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-01-02T03:04:05Z", "aliases": ["CVE-2026-1"], "summary": "s", "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}], "database_specific": {"severity": "HIGH"}, "affected": [{"package": {"ecosystem": "PyPI", "name": "a_b"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.5"}, {"introduced": "2.0"}, {"last_affected": "2.1"}]}, {"type": "GIT", "repo": "r", "events": [{"introduced": "0"}]}], "versions": ["1.0", "1.1rc1"]}, {"package": {"ecosystem": "npm", "name": "n"}}]}"#,
    r#"{"id": "MAL-2026-1", "modified": "2026-01-02T03:04:05Z", "withdrawn": "2026-01-03T00:00:00Z", "affected": [{"package": {"ecosystem": "PyPI", "name": "x"}, "versions": ["1.0"]}]}"#,
    r#"{"id": "A", "modified": "2026-01-02T03:04:05Z", "affected": [{"package": {"ecosystem": "PyPI", "name": "x"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "one"}]}]}]}"#,
    "id: PYSEC-2022-1\nmodified: '2024-01-02T03:04:05Z'\ndetails: |\n  words\naffected:\n- package: {name: x, ecosystem: PyPI}\n  ranges:\n  - type: ECOSYSTEM\n    events:\n    - introduced: '0'\n    - limit: '3'\n  versions: [0.1, '1.0']\n",
];

/// Inputs of the fuzzer of files.
#[must_use]
pub fn inputs() -> Vec<Vec<u8>> {
    FILES.iter().map(|(choice, text)| [&[*choice], text.as_bytes()].concat()).collect()
}
