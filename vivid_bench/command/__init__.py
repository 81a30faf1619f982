"""Methods that run as a program of their own environment; the contract with them is docs/methods/contract.md."""
