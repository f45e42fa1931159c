"""A fused forward pass for small Llama-like models on a CPU. It knows no server."""
