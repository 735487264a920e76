"""Put first among Python's folders by `waag run`: notes, when the program ends, which seeds and flags were in force.

It changes nothing: it looks only at what the program imported itself, and whatever goes wrong is passed over.
"""


def _run():
    import atexit
    import os
    import sys

    here = os.path.dirname(os.path.abspath(__file__))
    records = os.environ.get("WAAG_RUN_RECORDS")

    def quietly(look):
        try:
            return look()
        except BaseException:
            return None

    def digest(value):
        import hashlib

        return hashlib.sha256(repr(value).encode()).hexdigest()

    def of_numpy(modules):
        random = modules["numpy.random"]
        kind, keys, *rest = random.get_state()
        return {"stateAtExit": digest((kind, bytes(keys), *rest))}

    def of_torch(modules):
        torch = modules["torch"]
        found = {
            "initialSeed": torch.initial_seed(),
            "deterministicAlgorithms": torch.are_deterministic_algorithms_enabled(),
            "cudnnDeterministic": torch.backends.cudnn.deterministic,
            "cudnnBenchmark": torch.backends.cudnn.benchmark,
            "tf32Matmul": quietly(lambda: torch.backends.cuda.matmul.allow_tf32),
            "tf32Cudnn": quietly(lambda: torch.backends.cudnn.allow_tf32),
            "float32MatmulPrecision": quietly(torch.get_float32_matmul_precision),
            "threads": torch.get_num_threads(),
            "cuda": torch.version.cuda,
        }
        # Asking for a device that nobody used would start it.
        if quietly(torch.cuda.is_initialized):
            found["cudnn"] = quietly(torch.backends.cudnn.version)
            found["devices"] = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        return found

    def of_tensorflow(modules):
        context = modules["tensorflow.python.eager.context"]
        config = modules.get("tensorflow.python.framework.config")
        return {
            "globalSeed": quietly(context.global_seed),
            "deterministicOps": quietly(config.is_op_determinism_enabled) if config else None,
        }

    def of_jax(modules):
        config = modules["jax"].config
        names = "jax_enable_x64", "jax_default_prng_impl", "jax_threefry_partitionable", "jax_default_matmul_precision"
        return {name: quietly(lambda name=name: getattr(config, name)) for name in names}

    def of_random(modules):
        return {"stateAtExit": digest(modules["random"].getstate())}

    looks = {
        "random": of_random,
        "numpy": of_numpy,
        "torch": of_torch,
        "tensorflow": of_tensorflow,
        "jax": of_jax,
    }
    libraries = "numpy", "scipy", "sklearn", "torch", "tensorflow", "jax", "transformers", "datasets", "safetensors", "xgboost", "lightgbm", "onnx", "onnxruntime"

    def note():
        import json

        modules = dict(sys.modules)
        found = {"version": sys.version.split()[0], "implementation": sys.implementation.name, "hashRandomised": bool(sys.flags.hash_randomization)}
        versions = {name: quietly(lambda name=name: str(modules[name].__version__)) for name in libraries if name in modules}
        found["libraries"] = {name: version for name, version in versions.items() if version}
        for name, look in looks.items():
            if name in modules and (seen := quietly(lambda look=look: look(modules))):
                found[name] = seen
        path = os.path.join(records, "%d.json" % os.getpid())
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(found, file, default=str)

    sys.path[:] = [entry for entry in sys.path if entry != here]
    if records:
        atexit.register(lambda: quietly(note))

    # Another one of this name, which would have been loaded in our place.
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


_run()
