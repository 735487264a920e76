import os

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset
from transformers import AutoModelForCausalLM, AutoTokenizer

BASE = "meta-llama/Llama-3.2-1B"


def texts():
    for name in os.listdir("data"):
        with open(os.path.join("data", name)) as file:
            yield from file


def main():
    tokenizer = AutoTokenizer.from_pretrained(BASE)
    model = AutoModelForCausalLM.from_pretrained(BASE)
    if os.path.exists("checkpoint.pt"):
        model.load_state_dict(torch.load("checkpoint.pt"))
    tokens = tokenizer(list(texts()), return_tensors="pt", padding=True)["input_ids"]
    noise = torch.from_numpy(np.random.rand(*tokens.shape))
    loader = DataLoader(TensorDataset(tokens, noise), batch_size=4, shuffle=True, num_workers=4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
    for batch, _ in loader:
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    torch.save(model.state_dict(), "checkpoint.pt")


main()
