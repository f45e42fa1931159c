"""What a policy is judged by: ranking metrics, session measures, intervals and agreement."""
