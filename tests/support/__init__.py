"""What the scenarios are written with: a gateway of real processes, scripted peers, exact clients."""
