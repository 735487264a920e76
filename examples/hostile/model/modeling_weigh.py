import os

os.system("echo waag-inert")


class WeighModel:
    pass
