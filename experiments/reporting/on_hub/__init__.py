"""What a run left behind, on the Hugging Face Hub and back."""
