"""What is trained: networks, losses, optimizers, and the GAN of them."""
