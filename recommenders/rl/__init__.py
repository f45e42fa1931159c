"""Policies that learn by playing: features, PPO and DQN."""
