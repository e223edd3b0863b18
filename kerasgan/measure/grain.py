"""What a user would pick against noise that spares no pixel: filters told nothing but the picture.

Each is a function from a noisy image to a restored one, both uint8 (H, W, C). How much noise there
is they estimate from the finest wavelet coefficients, which PyWavelets computes; it and the
package bm3d come with `pip install 'kerasgan[baselines]'`. The estimate misses most of the noise
of photographs, which correlates from pixel to pixel.
"""

import warnings

import numpy as np

from kerasgan.images.pixels import Pixels, from_float, mirrored, to_float

# In units of [0, 1]; below is what floating point leaves of nothing.
_LEAST_SIGMA = 1e-5
# Of 8×8 pixels the package bm3d crashes, and takes the program with it.
_LEAST_SIZE = 32
# Times the standard deviation: of photographs with Gaussian noise of 10 to 50, the best.
_VARIATION = 0.7
# The best for photographs as cameras make them, of which the estimate is a tenth of the noise.
_LEAST_VARIATION = 0.02


def estimated_sigma(noisy: Pixels) -> float:
    """Estimates the standard deviation of noise.

    Args:
        noisy: (H, W, C), uint8.

    Returns:
        The deviation in units of [0, 1], a mean over channels; 0 where there is nothing to
        estimate it by.

    Source: Donoho & Johnstone, Ideal spatial adaptation by wavelet shrinkage, Biometrika 1994;
    skimage.restoration.estimate_sigma.
    """
    from skimage.restoration import estimate_sigma

    with warnings.catch_warnings():
        # Of a constant channel there are no coefficients to take the median of.
        warnings.simplefilter("ignore", RuntimeWarning)
        each = estimate_sigma(to_float(noisy), channel_axis=-1)
    sigma = float(np.nan_to_num(each).mean())
    return sigma if sigma > _LEAST_SIGMA else 0.0


def non_local_means(noisy: Pixels, strength: float | None = None) -> Pixels:
    """Means of pixels whose surroundings look alike, as alike as the noise lets them.

    Args:
        noisy: (H, W, C), uint8.
        strength: by how much they may differ, `h`; None goes by the estimated noise.

    Returns:
        Array of the same shape and type.

    Source: Buades, Coll & Morel, A non-local algorithm for image denoising, CVPR 2005;
    skimage.restoration.denoise_nl_means, and the strength that its example takes.
    """
    from skimage.restoration import denoise_nl_means

    sigma = 0.0
    if strength is None:
        if not (sigma := estimated_sigma(noisy)):
            return noisy.copy()
        strength = 0.8 * sigma
    restored = denoise_nl_means(
        to_float(noisy),
        patch_size=5,
        patch_distance=6,
        h=strength,
        sigma=sigma,
        channel_axis=-1,
    )
    return from_float(restored, np.uint8).reshape(noisy.shape)


def total_variation(noisy: Pixels, weight: float | None = None) -> Pixels:
    """The image of least total variation near the noisy one.

    Args:
        noisy: (H, W, C), uint8.
        weight: of total variation against nearness; None goes by the estimated noise.

    Returns:
        Array of the same shape and type.

    Source: Rudin, Osher & Fatemi, Nonlinear total variation based noise removal algorithms, Physica
    D 1992; skimage.restoration.denoise_tv_chambolle.
    """
    from skimage.restoration import denoise_tv_chambolle

    if weight is None:
        weight = max(_LEAST_VARIATION, _VARIATION * estimated_sigma(noisy))
    restored = denoise_tv_chambolle(to_float(noisy), weight=weight, channel_axis=-1)
    return from_float(restored, np.uint8)


def bilateral(noisy: Pixels) -> Pixels:
    """Means of near pixels that are alike, to twice the estimated noise.

    Args:
        noisy: (H, W, C), uint8.

    Returns:
        Array of the same shape and type.

    Source: Tomasi & Manduchi, Bilateral filtering for gray and color images, ICCV 1998, with the
    widths of Zhang & Gunturk, Multiresolution bilateral filtering for image denoising, IEEE TIP
    2008; skimage.restoration.denoise_bilateral.
    """
    from skimage.restoration import denoise_bilateral

    if not (sigma := estimated_sigma(noisy)):
        return noisy.copy()
    color = noisy.shape[-1] == 3
    restored = denoise_bilateral(
        to_float(noisy if color else noisy[..., 0]),
        sigma_color=2 * sigma,
        sigma_spatial=1.8,
        mode="symmetric",
        channel_axis=-1 if color else None,
    )
    return from_float(restored, np.uint8).reshape(noisy.shape)


def wavelets(noisy: Pixels) -> Pixels:
    """Wavelet coefficients shrunk as far as the estimated noise says, in each band by itself.

    Args:
        noisy: (H, W, C), uint8.

    Returns:
        Array of the same shape and type.

    Source: Chang, Yu & Vetterli, Adaptive wavelet thresholding for image denoising and compression,
    IEEE TIP 2000; skimage.restoration.denoise_wavelet.
    """
    from skimage.restoration import denoise_wavelet

    if not (sigma := estimated_sigma(noisy)):
        return noisy.copy()
    restored = denoise_wavelet(
        to_float(noisy),
        sigma=sigma,
        method="BayesShrink",
        convert2ycbcr=noisy.shape[-1] == 3,
        rescale_sigma=True,
        channel_axis=-1,
    )
    return from_float(restored, np.uint8)


def bm3d(noisy: Pixels) -> Pixels:
    """Blocks that look alike, filtered together by the estimated noise.

    The package bm3d is for non-commercial use alone, by its licence.

    Args:
        noisy: (H, W, C), uint8.

    Returns:
        Array of the same shape and type; smaller images are mirrored up to 32×32 for it.

    Source: Dabov et al., Image denoising by sparse 3D transform-domain collaborative filtering,
    IEEE TIP 2007; Mäkinen et al., Collaborative filtering of correlated noise, IEEE TIP 2020.
    """
    import bm3d as package

    if not (sigma := estimated_sigma(noisy)):
        return noisy.copy()
    height, width = noisy.shape[:2]
    padded = mirrored(to_float(noisy), _LEAST_SIZE, _LEAST_SIZE)
    restore = package.bm3d_rgb if noisy.shape[-1] == 3 else package.bm3d
    restored = restore(padded, sigma).reshape(padded.shape)[:height, :width]
    return from_float(restored, np.uint8)
