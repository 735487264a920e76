"""Objects that the real libraries pickle, for whichever of them this machine has."""

from __future__ import annotations

import importlib
import io
import pickle

from .case import Shelf


def have(*names: str) -> bool:
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            return False
    return True


def libraries() -> Shelf:
    shelf = Shelf("good-libraries", source="the installed library")
    numpy_(shelf) if have("numpy") else shelf.skip("NumPy is missing: its real pickles were left out")
    pandas_(shelf) if have("pandas") else shelf.skip("pandas is missing: its real pickles were left out")
    scipy_(shelf) if have("scipy") else shelf.skip("SciPy is missing: its real pickles were left out")
    sklearn_(shelf) if have("sklearn", "numpy") else shelf.skip("scikit-learn is missing: its real pickles were left out")
    joblib_(shelf) if have("joblib", "numpy") else shelf.skip("joblib is missing: its real files were left out")
    return shelf


def numpy_(shelf: Shelf) -> None:
    import numpy as np

    values = {
        "array": np.arange(12, dtype="f8").reshape(3, 4),
        "float32": np.linspace(0, 1, 50, dtype="f4"),
        "strings": np.array(["eval", "os.system"]),
        "objects": np.array(["a", None, 3], dtype=object),
        "scalar": np.float64(3.5),
        "dtype": np.dtype([("x", "f8"), ("y", "i4")]),
        "record": np.array([(1.0, 2)], dtype=[("x", "f8"), ("y", "i4")]),
        "datetime": np.array(["2024-01-01"], dtype="datetime64[D]"),
        "masked": np.ma.array([1, 2, 3], mask=[0, 1, 0]),
        "random-state": np.random.RandomState(0),
        "generator": np.random.default_rng(0),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    }
    for id, value in values.items():
        for protocol in (2, 4, 5):
            shelf.good(f"numpy-{id}-p{protocol}", pickle.dumps(value, protocol), f"NumPy: {id}")


def pandas_(shelf: Shelf) -> None:
    import pandas as pd

    frame = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, None, 1.5], "c": ["x", "eval", "os.system"]})
    values = {
        "frame": frame,
        "series": frame["a"],
        "index": frame.index,
        "datetimes": pd.DataFrame({"t": pd.date_range("2024-01-01", periods=3)}),
        "categories": pd.Series(["a", "b", "a"], dtype="category"),
        "multi-index": frame.set_index(["a", "c"]),
        "timestamp": pd.Timestamp("2024-01-01", tz="UTC"),
        "nullable": pd.Series([1, None], dtype="Int64"),
    }
    for id, value in values.items():
        shelf.good(f"pandas-{id}", pickle.dumps(value, 4), f"pandas: {id}")


def scipy_(shelf: Shelf) -> None:
    from scipy import sparse

    for kind in ("csr", "csc", "coo"):
        shelf.good(f"scipy-{kind}", pickle.dumps(getattr(sparse, f"{kind}_matrix")([[1, 0], [0, 2]]), 4), f"SciPy: a {kind} matrix")


def fitted() -> dict[str, object]:
    import numpy as np
    from sklearn import (
        cluster,
        decomposition,
        ensemble,
        feature_extraction,
        linear_model,
        naive_bayes,
        neighbors,
        neural_network,
        pipeline,
        preprocessing,
        svm,
        tree,
    )

    x = np.arange(80, dtype="f8").reshape(20, 4) % 7
    y = np.arange(20) % 2
    models = {
        "linear-regression": linear_model.LinearRegression(),
        "logistic-regression": linear_model.LogisticRegression(),
        "sgd": linear_model.SGDClassifier(random_state=0),
        "tree": tree.DecisionTreeClassifier(random_state=0),
        "forest": ensemble.RandomForestClassifier(3, random_state=0),
        "boosting": ensemble.GradientBoostingClassifier(n_estimators=3, random_state=0),
        "hist-boosting": ensemble.HistGradientBoostingClassifier(max_iter=3, random_state=0),
        "svc": svm.SVC(),
        "neighbors": neighbors.KNeighborsClassifier(3),
        "naive-bayes": naive_bayes.GaussianNB(),
        "mlp": neural_network.MLPClassifier((4,), max_iter=5, random_state=0),
        "kmeans": cluster.KMeans(2, n_init=1, random_state=0),
        "pca": decomposition.PCA(2),
        "scaler": preprocessing.StandardScaler(),
        "pipeline": pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.Ridge()),
    }
    out: dict[str, object] = {id: model.fit(x, y) for id, model in models.items()}
    out["tfidf"] = feature_extraction.text.TfidfVectorizer(vocabulary=["eval", "import", "os"]).fit(["never eval this", "import os system"])
    return out


def sklearn_(shelf: Shelf) -> None:
    import warnings

    warnings.simplefilter("ignore")
    for id, model in fitted().items():
        shelf.good(f"sklearn-{id}", pickle.dumps(model, 4), f"scikit-learn: {id}")


def joblib_(shelf: Shelf) -> None:
    import joblib
    import numpy as np

    arrays = {"a": np.arange(200.0), "b": np.ones((5, 5)), "name": "x"}
    for compress in (0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)):
        buffer = io.BytesIO()
        joblib.dump(arrays, buffer, compress=compress)
        id = compress[0] if isinstance(compress, tuple) else f"zlib-{compress}" if compress else "raw"
        shelf.good(f"joblib-arrays-{id}", buffer.getvalue(), f"joblib: arrays, {id}", name="data.joblib")
    if have("sklearn"):
        for id in ("forest", "pipeline", "mlp"):
            buffer = io.BytesIO()
            joblib.dump(fitted()[id], buffer)
            shelf.good(f"joblib-sklearn-{id}", buffer.getvalue(), f"joblib: scikit-learn's {id}", name="model.joblib")
