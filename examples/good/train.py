"""Fits a line between two kinds of points, and writes it as safetensors.

    python train.py
"""

import csv
import json
import random
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

SEED = 7
HERE = Path(__file__).resolve().parent


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    points = np.array([[float(row["x"]), float(row["y"])] for row in rows], dtype=np.float32)
    return points, np.array([int(row["kind"]) for row in rows])


def main() -> None:
    random.seed(SEED)
    np.random.seed(SEED)
    points, kinds = read(HERE / "data" / "train.csv")
    train, test, train_kinds, test_kinds = train_test_split(points, kinds, test_size=0.25, random_state=SEED)
    model = LogisticRegression(random_state=SEED).fit(train, train_kinds)
    accuracy = float(model.score(test, test_kinds))
    weights = {"weight": model.coef_.astype(np.float32), "bias": model.intercept_.astype(np.float32)}
    save_file(weights, HERE / "model" / "model.safetensors", metadata={"format": "np"})
    (HERE / "model" / "metrics.json").write_text(json.dumps({"accuracy": accuracy, "seed": SEED}, indent=2) + "\n")


if __name__ == "__main__":
    main()
