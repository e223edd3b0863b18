"""The training steps of `classic` and `selective`, written plainly in PyTorch, for training.py."""

import torch
from torch import nn
from torch.nn import functional


def conv(inputs, outputs, size=3, **options):
    return nn.Conv2d(inputs, outputs, size, **{"padding": size // 2, **options})


class ClassicGenerator(nn.Module):
    def __init__(self, narrow=64, middle=128, wide=256):
        super().__init__()
        self.encoder = conv(1, narrow)
        self.down = conv(narrow, middle, stride=2)
        self.bottleneck = conv(middle, wide)
        self.up = nn.ConvTranspose2d(wide, middle, 3, stride=2, padding=1, output_padding=1)
        self.decoder = conv(middle + narrow, narrow)
        self.restored = conv(narrow, 1)

    def forward(self, noisy):
        encoded = self.encoder(noisy).relu()
        x = self.bottleneck(self.down(encoded).relu()).relu()
        x = torch.cat([self.up(x).relu(), encoded], 1)
        return self.restored(self.decoder(x).relu()).sigmoid()


class ClassicDiscriminator(nn.Sequential):
    def __init__(self, extent, filters=(64, 128, 256, 512)):
        parts, inputs = [], 2
        for level, outputs in enumerate(filters):
            parts.append(conv(inputs, outputs, stride=2, bias=level == 0))
            parts += [nn.BatchNorm2d(outputs)] * (level > 0)
            parts += [nn.LeakyReLU(0.2), nn.Dropout(0.25)]
            inputs = outputs
        extent //= 2 ** len(filters)
        super().__init__(*parts, nn.Flatten(), nn.Linear(inputs * extent**2, 1))


def normed(convolution):
    return nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels))


def doubled(inputs, outputs):
    return normed(nn.ConvTranspose2d(inputs, outputs, 2, 2, bias=False))


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first = normed(conv(width, width, bias=False))
        self.second = normed(conv(width, width, bias=False))

    def forward(self, x):
        return (x + self.second(self.first(x).relu())).relu()


class SelectiveGenerator(nn.Module):
    def __init__(self, full=16, *lower):
        super().__init__()
        lower = lower or (32, 64, 128)
        self.stem = normed(conv(3, lower[0], 4, stride=2, padding=1, bias=False))
        pairs = list(zip(lower, lower[1:], strict=False))
        self.down = nn.ModuleList(normed(nn.Conv2d(a, b, 2, 2, bias=False)) for a, b in pairs)
        self.up = nn.ModuleList(doubled(b, a) for a, b in pairs)
        self.before = nn.ModuleList(Block(width) for width in lower)
        self.after = nn.ModuleList(Block(width) for width in lower[:-1])
        self.enlarge = doubled(lower[0], full)
        self.inside = normed(conv(full, full, bias=False))
        self.beside = normed(conv(3, full, bias=False))
        self.residual = conv(full, 1)

    def forward(self, noisy):
        certain = (noisy > 0) & (noisy < 1)
        filled = fill_gaps(noisy, certain)
        seen = torch.cat([filled, certain.float(), noisy], 1)
        x, skips = self.stem(seen), []
        for block, down in zip(self.before, self.down, strict=False):
            x = block(x)
            skips.append(x)
            x = down(x)
        x = self.before[-1](x)
        for level in reversed(range(len(skips))):
            x = self.after[level](self.up[level](x) + skips[level])
        x = (self.inside(self.enlarge(x)) + self.beside(seen)).relu()
        return torch.where(certain, noisy, (filled + self.residual(x)).clamp(0, 1))


def fill_gaps(noisy, certain):
    """What `kerasgan.model.filling` computes."""
    nothing = torch.zeros_like(noisy)
    extremes = [torch.where(certain, noisy, nothing), torch.where(certain, 1 - noisy, nothing)]
    pyramid = [torch.cat(extremes, 1)]
    for _ in range(3):
        pyramid.append(functional.max_pool2d(pyramid[-1], 2))
    filled = None
    for cells in reversed(pyramid):
        brightest, darkest = functional.max_pool2d(cells, 3, 1, 1).chunk(2, 1)
        middle = 0.5 * brightest + 0.5 * (1 - darkest)
        if filled is not None:
            coarser = functional.interpolate(filled, scale_factor=2, mode="nearest")
            middle = torch.where(brightest > 0, middle, smooth(coarser))
        filled = middle
    return torch.where(certain, noisy, smooth(torch.where(certain, noisy, filled)))


def smooth(x):
    return functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def classic_step(extent, memory_format):
    """A step of both networks; the generator runs once."""
    generator = ClassicGenerator().to(memory_format=memory_format)
    discriminator = ClassicDiscriminator(extent).to(memory_format=memory_format)
    g_optimizer, d_optimizer = (
        torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999))
        for network in (generator, discriminator)
    )
    entropy = functional.binary_cross_entropy_with_logits

    def step(noisy, clean):
        restored = generator(noisy)
        real = discriminator(torch.cat([noisy, clean], 1))
        fake = discriminator(torch.cat([noisy, restored.detach()], 1))
        one, zero = torch.ones_like(real), torch.zeros_like(real)
        d_optimizer.zero_grad()
        (0.5 * (entropy(real, one) + entropy(fake, zero))).backward()
        d_optimizer.step()
        # Against the discriminator that was updated, whose weights need no gradients now.
        discriminator.requires_grad_(False)
        fooled = discriminator(torch.cat([noisy, restored], 1))
        loss = functional.mse_loss(restored, clean) + 0.01 * entropy(fooled, one)
        g_optimizer.zero_grad()
        loss.backward()
        g_optimizer.step()
        discriminator.requires_grad_(True)

    return step


def selective_step(_extent, memory_format):
    """A step of the generator alone, by the mean absolute error of suspects."""
    generator = SelectiveGenerator().to(memory_format=memory_format)
    optimizer = torch.optim.Adam(generator.parameters(), 8e-3)

    def step(noisy, clean):
        suspects = ((noisy == 0) | (noisy == 1)).float()
        error = (generator(noisy) - clean).abs() * suspects
        optimizer.zero_grad()
        (error.sum() / suspects.sum()).backward()
        optimizer.step()

    return step


STEPS = {"classic": classic_step, "selective": selective_step}
