//! Whole files, and hostile ones.

use std::fmt::Write as _;

use super::*;

#[allow(clippy::use_debug)]
fn shown(text: &str) -> String {
    let (described, findings) = read_text("Dockerfile", text);
    let mut out = String::new();
    for base in &described.bases {
        writeln!(out, "base {}{}", base.name, if base.of_the_image { "" } else { " (aside)" }).unwrap();
    }
    for one in &described.packages {
        let group = one.group.as_deref().unwrap_or("image");
        writeln!(
            out,
            "package {} {} ({group}) :{}",
            one.name,
            one.constraint.as_deref().unwrap_or("any"),
            one.location.line.unwrap()
        )
        .unwrap();
    }
    writeln!(out, "user {:?}, not known {:?}", described.user, described.not_known).unwrap();
    for one in findings {
        let place = one.location.line.map(|line| line.to_string()).unwrap_or_default();
        writeln!(out, "{}: {:?}[{}] {}", place, one.severity, one.rule, one.message).unwrap();
    }
    out
}

#[test]
fn a_file_with_stages_is_read_as_a_builder_reads_it() {
    insta::assert_snapshot!(shown(
        r#"# syntax=docker/dockerfile:1.7
ARG CUDA=12.1.1
ARG REGISTRY
FROM nvidia/cuda:${CUDA}-cudnn8-devel-ubuntu22.04 AS base
ARG TORCH=2.4.0
ENV DEBIAN_FRONTEND=noninteractive \
    # a comment within
    HF_TOKEN=$HF_TOKEN
RUN apt-get update && apt-get install -y git curl \
 && python3 -m pip install --upgrade pip \
    "torch==${TORCH}" torchvision \
    --extra-index-url https://download.pytorch.org/whl/cu121

FROM ${REGISTRY}/tools AS tools
RUN curl -fsSL https://example.org/install.sh | bash -s -- --yes
RUN pip install black

FROM base
COPY --from=tools /usr/local/bin/tool /usr/local/bin/
RUN <<EOF
pip install \
  transformers==4.44.0
wget -q https://example.org/weights.bin
EOF
RUN ["pip", "install", "accelerate==$VERSION"]
RUN curl -fsSL https://example.org/x -o x && echo "abc x" | sha256sum -c
RUN bash <(curl -s https://example.org/y) && eval "$(curl -s https://example.org/z)"
ONBUILD USER someone
"#
    ));
}

#[test]
fn credentials_are_found_and_not_told() {
    let token = format!("hf_{}", "NqVwYSVPHbDXpPdkhxEpyIgKpaUnArlXyk");
    let text = format!(
        "FROM a@sha256:b\nENV HF={token}\nRUN huggingface-cli login --token {token}\nRUN pip install --index-url https://me:hunter22@pypi.example.org/simple x==1\nARG API_TOKEN=deadbeefcafe\nENV TOKENIZERS_PARALLELISM=false MAX_TOKENS=5 USE_TOKEN=1 KEY_PASSWORD=/run/secrets/p SECRET=$S\nUSER a\n"
    );
    let told = shown(&text);
    for value in [token.as_str(), "hunter22", "deadbeefcafe"] {
        assert!(!told.contains(value), "{told}");
    }
    insta::assert_snapshot!(told);
}

#[test]
fn names_of_files_are_told_apart() {
    for name in [
        "Dockerfile",
        "dockerfile.gpu",
        "Dockerfile-cpu",
        "Dockerfile-py3.11",
        "train.Dockerfile",
        "Containerfile",
        "compose.yml",
        "docker-compose.prod.yaml",
    ] {
        assert!(is_read(name), "{name}");
    }
    for name in [
        "Dockerfile.md",
        "dockerfiles",
        "composer.yaml",
        "Dockerfile.dockerignore",
        ".dockerignore",
        "docker.py",
        "dockerfile_utils.py",
        "Dockerfile.json",
    ] {
        assert!(!is_read(name), "{name}");
    }
}

#[test]
fn hostile_files_end_with_something_said() {
    let doubling = format!("FROM a\n{}", "ENV A=$A$A$A\n".repeat(50_000));
    let stages: String = (0..20_000).map(|index| format!("FROM s{} AS s{}\n", index + 1, index)).collect();
    let chained: String = std::iter::once("FROM x AS s0\n".to_owned())
        .chain((1..20_000).map(|index| format!("FROM s{} AS s{index}\n", index - 1)))
        .collect();
    let long = format!("FROM a\nRUN pip install {}\n", "x ".repeat(200_000));
    let lines = format!("FROM a\n{}", "RUN pip install x==1\n".repeat(100_000));
    let loads = format!("FROM a\n{}", "RUN pip install x && curl https://e/x | sh\n".repeat(5_000));
    let pipes = format!("FROM a\nRUN {}sh\n", "curl https://e/x | ".repeat(50_000));
    for text in [
        doubling,
        stages,
        chained,
        long,
        lines,
        loads,
        pipes,
        "FROM".to_owned(),
        String::new(),
        "FROM a AS a\nFROM a".to_owned(),
        "$".repeat(100_000),
    ] {
        let (described, findings) = read_text("Dockerfile", &text);
        assert!(findings.len() < 1_000);
        assert!(!findings.is_empty() || !described.bases.is_empty(), "{}", &text[..text.len().min(40)]);
    }
    let bomb = "a: &a [x,x]\nb: &b [*a,*a]\n".to_owned() + &(0..40).map(|_| "c: [*b,*b]\n").collect::<String>();
    let _ = read_text("compose.yaml", &bomb);
    assert_eq!(read_text("compose.yaml", "services: [").1[0].rule, "incomplete-analysis");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Dockerfile");
    std::fs::write(&path, b"FROM \xff").unwrap();
    let (_, findings) =
        examine(&[(path, "Dockerfile".to_owned()), (folder.path().to_owned(), "x/Dockerfile".to_owned())]);
    assert_eq!(findings.len(), 2);
}

/// What was told wrongly: marks in texts, files of credentials, versions that are set later.
#[test]
fn names_that_only_look_like_credentials_are_left() {
    let told = shown(
        "FROM a@sha256:b\nENV PAD_TOKEN=[PAD] EOS_TOKEN=eos GOOGLE_APPLICATION_CREDENTIALS=key.json\nENV DB_PASSWORD=hunter22\nARG S3_NO_CREDENTIALS=aaa1\nUSER a\n",
    );
    assert!(!told.contains("S3_NO") && !told.contains("TOKEN") && !told.contains("GOOGLE"), "{told}");
    assert!(told.contains("3: Medium[secret-in-image] DB_PASSWORD"), "{told}");
}

/// A line of very many names is gone through once.
#[test]
fn a_long_line_of_settings_is_gone_through_once() {
    let names: String = (0..100_000).map(|index| format!(" A_\"{index}_TOKEN\"=x")).collect();
    let (_, findings) = read_text("Dockerfile", &format!("FROM a@sha256:b\nENV{names}\nUSER a\n"));
    assert!(findings.len() > 100 && findings.len() < 110, "{}", findings.len());
}
