"""Long-term memory (Ml): what a person recalls, behind one seam.

How many memories a prompt shows is ``agents.prompt_style.PromptStyle``.
"""
