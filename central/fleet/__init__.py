"""What the centre knows of the fleet: present state, history, and what is wrong."""
