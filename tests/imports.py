"""Imports what MLflow, Metaflow, Weights & Biases and DVC themselves write, and catches what is changed in it afterwards.

    python3 tests/imports.py target/release/waag [FOLDER]

Installs the tools into FOLDER (a gigabyte; by default .venv-imports), starts an MLflow server on the loopback device, and runs a
flow, a training run in offline mode and a pipeline. Nothing is sent anywhere.
"""

import base64
import contextlib
import gzip
import hashlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import venv

HERE = pathlib.Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements-imports.txt"
CHECKS = 0


def check(what, holds, seen=""):
    """Counts a check; stops at the first that fails."""
    global CHECKS
    if not holds:
        sys.exit(f"FAILED: {what}\n{seen}")
    CHECKS += 1


class Waag:
    def __init__(self, program):
        self.program = str(pathlib.Path(program).resolve())

    def run(self, *arguments, expect=0, **environment):
        command = [self.program, "import", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
        check(f"{' '.join(command)} gives {expect}", done.returncode == expect, f"{done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def json(self, *arguments, **options):
        return json.loads(self.run(*arguments, "--format", "json", **options).stdout)


def statements(path):
    """The statements of a file, none of which may be signed."""
    found = []
    for line in pathlib.Path(path).read_text().splitlines():
        envelope = json.loads(line)
        check("an envelope has no signature", envelope["signatures"] == [], line)
        found.append(json.loads(base64.b64decode(envelope["payload"])))
    return found


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def wrong(report):
    return [remark["text"] for remark in report["remarks"] if remark["grade"] == "wrong"]


# MLflow ---------------------------------------------------------------------------------------------------------------


class Server:
    """An MLflow server, asked by its REST interface alone."""

    def __init__(self, tools, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self.folder = folder
        command = [tools / "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        command += ["--backend-store-uri", f"sqlite:///{folder}/runs.db", "--artifacts-destination", folder / "artifacts"]
        self.log = open(folder / "server.log", "w")
        # Without jobs it begins sooner.
        environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        self.process = subprocess.Popen(
            command, stdout=self.log, stderr=self.log, cwd=folder, start_new_session=True, env=environment
        )
        # It takes a minute to begin on a busy machine.
        for _ in range(600):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.address}/health", timeout=5)
                return
            time.sleep(0.5)
        self.stop()
        sys.exit(f"the server does not answer: {(folder / 'server.log').read_text()}")

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(timeout=60)

    def ask(self, method, path, body=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        request = urllib.request.Request(f"{self.address}{path}", data, {"content-type": kind}, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            text = answer.read()
        return json.loads(text) if text.strip() else {}

    def call(self, method, path, /, **body):
        return self.ask(method, f"/api/2.0/mlflow/{path}", body)

    def run(self, experiment, number):
        tags = {"mlflow.source.name": "train.py", "mlflow.source.git.commit": "0" * 39 + str(number)}
        tags = [{"key": key, "value": value} for key, value in tags.items()]
        begun = self.call("POST", "runs/create", experiment_id=experiment, start_time=1795318960619, tags=tags)
        run = begun["run"]["info"]["run_id"]
        params = [{"key": "seed", "value": str(number)}, {"key": "base_model", "value": "org/base"}]
        metrics = [{"key": "acc", "value": 0.9, "timestamp": 1795318960619, "step": 0}]
        self.call("POST", "runs/log-batch", run_id=run, params=params, metrics=metrics, tags=[])
        dataset = {"name": "iris", "digest": "abcd1234", "source_type": "s3", "source": '{"uri": "s3://bucket/iris.csv"}'}
        data = {"tags": [{"key": "mlflow.data.context", "value": "training"}], "dataset": dataset}
        self.call("POST", "runs/log-inputs", run_id=run, datasets=[data])
        self.store(experiment, run, "model/model.onnx", b"weights %d" % number)
        self.store(experiment, run, "model/sub dir/vocab.txt", b"words")
        self.call("POST", "runs/update", run_id=run, status="FINISHED", end_time=1795318965619)
        return run

    def store(self, experiment, run, path, data):
        path = urllib.parse.quote(path)
        self.ask("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/{path}", data)

    def version(self, name, experiment, run):
        source = f"mlflow-artifacts:/{experiment}/{run}/artifacts/model"
        made = self.call("POST", "model-versions/create", name=name, source=source, run_id=run)
        return made["model_version"]["version"]

    def alias(self, name, alias, version):
        self.call("POST", "registered-models/alias", name=name, alias=alias, version=version)

    def tag(self, name, version, value):
        self.call("POST", "model-versions/set-tag", name=name, version=version, key="waag.evidence", value=value)


def evidence(folder, name, files):
    """An envelope over a statement about files; signed by nobody."""
    subjects = [{"name": path, "digest": {"sha256": sha256(data)}} for path, data in files.items()]
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://slsa.dev/verification_summary/v1",
        "predicate": {
            "verifier": {"id": "https://example.com/verifier"},
            "resourceUri": "models:/iris/1",
            "policy": {"uri": "https://example.com/policy"},
            "verificationResult": "PASSED",
            "verifiedLevels": ["SLSA_BUILD_LEVEL_1"],
        },
    }
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    path = folder / name
    path.write_text(json.dumps({"payload": payload, "payloadType": "application/vnd.in-toto+json", "signatures": []}))
    return path


def mlflow(waag, tools, folder):
    server = Server(tools, folder)
    try:
        experiment = server.call("POST", "experiments/create", name="iris")["experiment_id"]
        runs = [server.run(experiment, number) for number in range(2)]
        server.call("POST", "registered-models/create", name="iris")
        versions = [server.version("iris", experiment, run) for run in runs]
        server.alias("iris", "champion", versions[0])
        mlflow_import(waag, server, runs, experiment, folder)
        mlflow_evidence(waag, server, runs, versions, experiment, folder)
    finally:
        server.stop()


def mlflow_import(waag, server, runs, experiment, folder):
    out = folder / "run.jsonl"
    report = waag.json(server.address, "--run", runs[0], "--output", out)
    names = {artifact["name"]: artifact["sha256"] for artifact in report["artifacts"]}
    check("artifacts are digested", names.get("artifacts/model/model.onnx") == sha256(b"weights 0"), names)
    check("names with spaces too", names.get("artifacts/model/sub dir/vocab.txt") == sha256(b"words"), names)
    (statement,) = statements(out)
    check("a run is provenance", statement["predicateType"] == "https://slsa.dev/provenance/v1", statement)
    definition = statement["predicate"]["buildDefinition"]
    roles = {dependency["annotations"]["role"] for dependency in definition["resolvedDependencies"]}
    check("code, data and base model went in", roles == {"code", "dataset", "base-model"}, definition)
    check("parameters are told", definition["externalParameters"]["parameters"]["seed"] == "0", definition)
    page = f"{server.address}/#/experiments/{experiment}/runs/{runs[0]}"
    check("a page is an address", waag.json(page)["artifacts"] == report["artifacts"])
    uri = waag.json(f"runs:/{runs[0]}", MLFLOW_TRACKING_URI=server.address)
    check("so is MLflow's own", uri["artifacts"] == report["artifacts"])
    model = waag.json(server.address, "--model", "iris@champion")
    claims = {(claim["role"], claim["object"].get("uri")) for claim in model["claims"]}
    check("a model names its run", ("run", f"runs:/{runs[0]}") in claims, claims)
    done = waag.run(server.address, "--run", "nosuchrun", expect=2)
    check("a run that is not there is told", "hint:" in done.stderr, done.stderr)
    waag.run("http://127.0.0.1:9", "--run", "x", expect=2)


def mlflow_evidence(waag, server, runs, versions, experiment, folder):
    files = {"model.onnx": b"weights 0", "sub dir/vocab.txt": b"words"}
    good = evidence(folder, "good.json", files)
    target = [server.address, "--model", "iris@champion"]
    waag.run(*target, "--verify", expect=1)
    waag.run(*target, "--write-verdict", evidence(folder, "half.json", {"model.onnx": b"weights 0"}), expect=2)
    published = json.loads(waag.run(*target, "--write-verdict", good, "--format", "json").stdout)
    digest = f"sha256:{published['digest']}"
    check("the digest is that of the file", published["digest"] == sha256(good.read_bytes()), published)

    def problems(*more, expect=1):
        return {problem["kind"] for problem in waag.json(*target, "--verify", *more, expect=expect)["problems"]}

    check("expected evidence holds", problems("--expect", digest, expect=0) == set())
    check("evidence that nobody vouches for is no verdict", problems(expect=3) == set())
    kept = folder / "kept.json"
    waag.run(*target, "--verify", "--expect", digest, "--output", kept)
    check("evidence is kept for its signature", kept.read_bytes() == good.read_bytes())
    check("other evidence is told", problems("--expect", "sha256:" + "0" * 64) == {"other-evidence"})

    server.tag("iris", versions[0], "FORGED pass")
    check("a forged tag is caught", problems() == {"forged-tag"})
    server.tag("iris", versions[0], "sha256:" + "ab" * 32)
    check("a forged digest is caught", problems() == {"forged-tag"})
    server.tag("iris", versions[0], digest)

    server.alias("iris", "champion", versions[1])
    check("a moved alias is caught", problems("--expect", digest) == {"no-evidence", "moved-alias"})
    server.tag("iris", versions[1], digest)
    found = problems("--expect", digest)
    check("a tag that was copied does not help", {"moved-alias"} <= found and found & {"forged-tag", "replaced-artifact"}, found)
    path = f"waag/sha256-{published['digest']}.json"
    server.store(experiment, runs[1], path, good.read_bytes())
    found = problems("--expect", digest)
    check("nor evidence that was copied", found == {"moved-alias", "replaced-artifact"}, found)
    server.alias("iris", "champion", versions[0])
    check("the alias is back", problems("--expect", digest, expect=0) == set())

    server.store(experiment, runs[0], "model/model.onnx", b"poisoned")
    check("a replaced artifact is caught", problems("--expect", digest) == {"replaced-artifact"})
    server.store(experiment, runs[0], "model/model.onnx", b"weights 0")
    server.store(experiment, runs[0], "model/extra.py", b"import os")
    check("an added artifact is caught", problems("--expect", digest) == {"uncovered-artifact"})
    (server.folder / "artifacts" / experiment / runs[0] / "artifacts/model/extra.py").unlink()
    server.store(experiment, runs[0], path, good.read_bytes() + b"\n")
    check("replaced evidence is caught", problems("--expect", digest) == {"replaced-evidence"})
    server.store(experiment, runs[0], path, good.read_bytes())
    check("all is well again", problems("--expect", digest, expect=0) == set())


# What lies on disk ----------------------------------------------------------------------------------------------------

MLRUNS = """
import mlflow
mlflow.set_tracking_uri("file:./mlruns")
mlflow.set_experiment("iris")
with mlflow.start_run(run_name="first"):
    mlflow.log_param("n", 3); mlflow.log_metric("acc", 0.9); mlflow.set_tag("mlflow.source.git.commit", "0" * 40)
    open("model.bin", "wb").write(b"weights"); mlflow.log_artifact("model.bin", "model")
"""


def mlruns(waag, tools, folder):
    environment = {**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true"}
    subprocess.run([tools / "python", "-c", MLRUNS], cwd=folder, check=True, capture_output=True, env=environment)
    out = folder / "out.jsonl"
    report = waag.json(folder / "mlruns", "--output", out)
    check("the artifact of a folder is digested", sha256(b"weights") in {one["sha256"] for one in report["artifacts"]}, report)
    (statement,) = statements(out)
    check("a run in a folder is provenance", statement["predicateType"] == "https://slsa.dev/provenance/v1")


FLOW = """
from metaflow import FlowSpec, step, Parameter
class IrisFlow(FlowSpec):
    alpha = Parameter("alpha", default=0.5)
    @step
    def start(self):
        self.seed = 7
        self.data = [1, 2, 3]
        self.next(self.end)
    @step
    def end(self):
        self.model = {"w": [self.seed * x for x in self.data]}
if __name__ == "__main__":
    IrisFlow()
"""


def metaflow(waag, tools, folder):
    (folder / "flow.py").write_text(FLOW)
    environment = {**os.environ, "USERNAME": "tester", "METAFLOW_USER": "tester", "METAFLOW_HOME": str(folder)}
    command = [tools / "python", "flow.py", "--datastore", "local", "--metadata", "local", "run"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env=environment)
    out = folder / "out.jsonl"
    report = waag.json(folder, "--from", "metaflow", "--output", out)
    blobs = report["artifacts"]
    check("every blob is what its name says", blobs and all(one["checked"]["result"] == "agrees" for one in blobs), blobs)
    (statement,) = statements(out)
    names = {subject["name"] for subject in statement["subject"]}
    check("artifacts came out, each once", names == {"end/2/model", "end/2/data"}, names)
    (path,) = (folder / ".metaflow/IrisFlow").glob("*/end/2/0.data.json")
    digits = json.loads(path.read_text())["objects"]["model"]
    blob = folder / ".metaflow/IrisFlow/data" / digits[:2] / digits
    whole = blob.read_bytes()
    blob.write_bytes(gzip.compress(b"cos\nsystem\n(S'echo waag-inert'\ntR."))
    client = "from metaflow import Run, namespace; namespace(None); import sys; print(Run(sys.argv[1])['end'].task['model'].data)"
    run = path.parts[-4]
    loaded = subprocess.run([tools / "python", "-c", client, f"IrisFlow/{run}"], cwd=folder, capture_output=True, text=True, env=environment)
    check("Metaflow itself loads the replaced blob, which runs", "waag-inert" in loaded.stdout, loaded.stdout + loaded.stderr)
    texts = wrong(waag.json(folder, "--from", "metaflow", expect=1))
    check("a replaced blob is caught", any("not what was recorded" in text for text in texts), texts)
    check("and so is what its pickle would run", any("code-execution" in text for text in texts), texts)
    blob.write_bytes(whole)
    waag.run(folder, "--from", "metaflow")


WANDB = """
import wandb
open("data.csv", "w").write("a,b\\n1,2\\n"); open("model.bin", "wb").write(b"weights")
run = wandb.init(mode="offline", project="iris", name="first", config={"lr": 0.1, "base_model": "org/base"}, dir=".")
data = wandb.Artifact("iris-data", type="dataset"); data.add_file("data.csv"); run.log_artifact(data)
for index in range(300): run.log({"loss": 1.0 / (index + 1), "note": "x" * 200})
model = wandb.Artifact("iris-model", type="model"); model.add_file("model.bin"); run.log_artifact(model)
run.summary["acc"] = 0.9
run.finish()
"""


def wandb(waag, tools, folder):
    environment = {**os.environ, "HOME": str(folder), "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}
    subprocess.run([tools / "python", "-c", WANDB], cwd=folder, check=True, capture_output=True, env=environment)
    out = folder / "out.jsonl"
    report = waag.json(folder, "--from", "wandb", "--output", out)
    checked = {one["name"]: one["checked"]["result"] for one in report["artifacts"]}
    check("artifacts of a run agree with their MD5", checked == {"data.csv": "agrees", "model.bin": "agrees"}, checked)
    (statement,) = statements(out)
    (model,) = statement["subject"]
    check("the model has both digests", model["digest"]["sha256"] == sha256(b"weights") and "md5" in model["digest"], model)
    definition = statement["predicate"]["buildDefinition"]
    check("the configuration is told", definition["externalParameters"]["config"]["lr"] == 0.1, definition)
    (folder / "model.bin").write_bytes(b"poisoned")
    # It may be another file, so it is no lie of the record: but it is not what the run had, and that is said.
    report = waag.json(folder, "--from", "wandb")
    check("a changed file is told", any("other bytes" in one["text"] for one in report["remarks"]), report["remarks"])
    check("and is no part of the run", [one["name"] for one in report["artifacts"]] == ["data.csv"], report["artifacts"])
    (log,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    data = bytearray(log.read_bytes())
    check("the record goes over several blocks", len(data) > 65536, len(data))
    data[40_000] ^= 1
    log.write_bytes(data)
    (folder / "model.bin").write_bytes(b"weights")
    report = waag.json(folder, "--from", "wandb", expect=3)
    check("a changed record is caught", any("checksum" in one["text"] for one in report["remarks"]), report["remarks"])


DVC = """
stages:
  train:
    cmd: python -c "open('out.bin', 'w').write(open('iris.csv').read())"
    deps: [iris.csv]
    params: [seed]
    outs: [out.bin]
"""


def dvc(waag, tools, folder):
    (folder / "dvc.yaml").write_text(DVC)
    (folder / "params.yaml").write_text("seed: 7\n")
    (folder / "iris.csv").write_text("a,b\n1,2\n")
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1", "HOME": str(folder)}
    for command in (["init", "--no-scm", "--quiet"], ["repro", "--quiet"]):
        subprocess.run([tools / "dvc", *command], cwd=folder, check=True, capture_output=True, env=environment)
    report = waag.json(folder, "--from", "dvc")
    checked = {one["name"]: one["checked"]["result"] for one in report["artifacts"]}
    check("what a stage read and wrote agrees", checked == {"iris.csv": "agrees", "out.bin": "agrees"}, checked)
    roles = {claim["role"] for claim in report["claims"]}
    check("a stage has inputs, parameters and a command", roles == {"input", "configuration", "run"}, roles)
    (folder / "iris.csv").write_text("changed\n")
    check("a changed input is caught", wrong(waag.json(folder, "--from", "dvc", expect=1)))


def main():
    waag = Waag(sys.argv[1])
    tools = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ".venv-imports").resolve()
    if not (tools / "bin/pip").exists():
        venv.create(tools, with_pip=True)
    install = [tools / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS]
    subprocess.run(install, check=True)
    with tempfile.TemporaryDirectory() as folder:
        for kind in (mlflow, mlruns, metaflow, wandb, dvc):
            place = pathlib.Path(folder) / kind.__name__
            place.mkdir()
            before = CHECKS
            kind(waag, tools / "bin", place)
            print(f"{kind.__name__}: {CHECKS - before} checks hold", file=sys.stderr)
    print(f"imports: {CHECKS} checks hold")


if __name__ == "__main__":
    main()
