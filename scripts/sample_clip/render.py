"""Frames from expression weights: skin over eyeballs and mouth, warped triangle by triangle."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scripts.sample_clip.expressions import NAMES, displacements, face_axes
from scripts.sample_clip.portrait import INNER_LIPS, LEFT_EYE, RIGHT_EYE, Portrait
from scripts.sample_clip.score import SIZE

__all__ = ["Pose", "Renderer"]

Picture = NDArray[np.float32]

LASHES = np.array([58.0, 38.0, 30.0], np.float32)
LIP_LINE = np.array([112.0, 52.0, 46.0], np.float32)


@dataclass(frozen=True)
class Pose:
    """Head motion: `yaw`, `pitch`, `roll` in degrees, `shift` (x, y) in pixels."""

    yaw: float
    pitch: float
    roll: float
    shift: tuple[float, float]


class Renderer:
    """Draws the portrait with an expression and a head pose.

    The skin is one mesh with holes. Through the eyes' holes the eyeballs are seen, which do not
    move with the lids; through the mouth's hole the dark and the upper teeth, which do not move
    with the lips.
    """

    def __init__(self, portrait: Portrait) -> None:
        self.portrait = portrait
        self.shapes = displacements(portrait)
        self.origin, self.axes = face_axes(portrait)
        self.skin = without_openings(portrait)
        self.calm_skin = without_smile_lines(self.skin, portrait, self.origin, self.axes)
        self.eyeballs = eyeball_layer(portrait)
        self.mouth, self.teeth = mouth_layers(portrait)
        self.held = head_weight(portrait.points)

    def frame(self, weights: dict[str, float], pose: Pose) -> NDArray[np.uint8]:
        """RGB picture (SIZE, SIZE, 3); `weights` by name of expression, missing ones are 0."""
        amounts = np.array([weights.get(name, 0.0) for name in NAMES])
        face = self.portrait.points + np.tensordot(amounts, self.shapes, axes=1)
        target = self.posed(face, self.portrait.depth, self.held, pose)
        still = self.posed(self.portrait.points, self.portrait.depth, self.held, pose)
        calm = np.float32(np.clip(weights.get("neutral", 0.0), 0.0, 1.0))
        skin = self.warp((1 - calm) * self.skin + calm * self.calm_skin, target)
        for ring in (RIGHT_EYE, LEFT_EYE):
            moved = least_squares_affine(self.portrait.points[list(ring)], still[list(ring)])
            layer = cv2.warpAffine(self.eyeballs, moved, (SIZE, SIZE), flags=cv2.INTER_CUBIC)
            cover = polygon(target[list(ring)], 0.8)[..., None]
            skin = skin * (1 - cover) + layer * cover
            lashes = 0.6 * weights.get("blink", 0.0) * polyline(target[list(ring[:9])], 1.0, False)
            skin = skin * (1 - lashes[..., None]) + LASHES * lashes[..., None]
        whole = self.with_mouth(skin, target, still)
        drawn: NDArray[np.uint8] = np.clip(whole + 0.5, 0, 255).astype(np.uint8)
        return drawn

    def with_mouth(
        self, skin: Picture, target: NDArray[np.float64], still: NDArray[np.float64]
    ) -> Picture:
        """Put the inside of the mouth where the lips are apart, and a soft line where they meet."""
        ring, bony = list(INNER_LIPS), [33, 263, 168, 6, 1]
        upper = least_squares_affine(self.portrait.points[bony], still[bony])
        shift = target[14] - self.portrait.points[14]
        lower = np.array([[1.0, 0.0, shift[0]], [0.0, 1.0, shift[1]]])
        inside = cv2.warpAffine(
            self.mouth, lower, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        teeth = cv2.warpAffine(self.teeth, upper, (SIZE, SIZE), flags=cv2.INTER_CUBIC)
        hard = np.clip(teeth[..., 3:], 0, 1)
        inside = inside * (1 - hard) + teeth[..., :3] * hard
        cover = polygon(target[ring], 0.9)
        # The lips cast a shadow on what is right behind them.
        shade = cv2.GaussianBlur(cover, (0, 0), 3.0)[..., None] * 0.55 + 0.45
        cover = cover[..., None]
        seam = polyline(target[ring], 0.8)[..., None] * 0.7 * (1 - cover)
        mixed: Picture = (skin * (1 - seam) + LIP_LINE * seam) * (
            1 - cover
        ) + inside * shade * cover
        return mixed

    def posed(
        self,
        points: NDArray[np.float64],
        depth: NDArray[np.float64],
        held: NDArray[np.float64],
        pose: Pose,
    ) -> NDArray[np.float64]:
        """Turn the head about the top of the neck, seen from afar; `held` is 0 where all rests."""
        yaw, pitch, roll = np.radians([pose.yaw, pose.pitch, pose.roll])
        pivot = np.array([*(self.portrait.points[152] + (0.0, 12.0)), 60.0])
        solid = np.column_stack([points, depth]) - pivot
        x, y, z = solid.T
        x, z = np.cos(yaw) * x + np.sin(yaw) * z, np.cos(yaw) * z - np.sin(yaw) * x
        y = np.cos(pitch) * y - np.sin(pitch) * z
        turned = np.stack(
            [np.cos(roll) * x - np.sin(roll) * y, np.sin(roll) * x + np.cos(roll) * y], axis=1
        )
        moved: NDArray[np.float64] = turned + pivot[:2] + pose.shift - points
        return points + held[:, None] * moved

    def warp(self, picture: Picture, target: NDArray[np.float64]) -> Picture:
        """Draw the picture with its mesh moved to `target` (V, 2)."""
        triangles = self.portrait.triangles
        corners = target[triangles]
        ones = np.ones((*triangles.shape, 1))
        homogeneous = np.concatenate([corners, ones], axis=2)
        first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
        drawn = np.flatnonzero(np.abs(area) > 0.05)
        back = np.linalg.solve(homogeneous[drawn], self.portrait.points[triangles[drawn]])
        owner = np.full((SIZE, SIZE), -1, np.int32)
        fixed = np.round(corners * 16).astype(np.int32)
        for place, i in enumerate(drawn.tolist()):
            cv2.fillConvexPoly(owner, fixed[i], place, lineType=cv2.LINE_8, shift=4)
        row, column = np.mgrid[0:SIZE, 0:SIZE]
        at = np.stack([column, row, np.ones_like(row)], axis=-1).astype(np.float64)
        source = np.einsum("hwk,hwkc->hwc", at, back[np.maximum(owner, 0)])
        shift = (source - at[..., :2]).astype(np.float32)
        known = (owner >= 0).astype(np.float32)
        smooth = spread_into_holes(shift, known)
        grid = at[..., :2].astype(np.float32) + smooth
        drawing: Picture = cv2.remap(
            picture, grid, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        return drawing


def spread_into_holes(shift: Picture, known: Picture, blur: float = 1.2) -> Picture:
    """Continue a field (H, W, 2) a few pixels into its holes and take the kinks off its edges."""
    inside = known > 0
    weight = cv2.GaussianBlur(known, (0, 0), blur)[..., None]
    blurred = cv2.GaussianBlur(shift * known[..., None], (0, 0), blur) / np.maximum(weight, 1e-3)
    field: Picture = np.where(inside[..., None], blurred, nearest_known(shift, inside))
    return field


def nearest_known(values: Picture, known: NDArray[np.bool_]) -> Picture:
    """Give each unknown pixel of (H, W, C) the value of the known pixel nearest to it."""
    _, label = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_label = np.zeros((label.max() + 1, values.shape[2]), np.float32)
    of_label[label[known]] = values[known]
    filled: Picture = of_label[label]
    return filled


def painted_over(portrait: Portrait, hole: NDArray[np.uint8]) -> Picture:
    """The picture with a hole (where above 0) painted over softly from its rim."""
    picture = portrait.picture.astype(np.float32)
    soft = cv2.GaussianBlur(nearest_known(picture, hole == 0), (0, 0), 1.5)
    filled: Picture = np.where(hole[..., None] > 0, soft, picture)
    return filled


def polygon(contour: NDArray[np.float64], blur: float) -> Picture:
    """Soft mask (SIZE, SIZE), 0 to 1, of a closed contour."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    fixed = np.round(contour * 16).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, lineType=cv2.LINE_AA, shift=4)
    soft: Picture = cv2.GaussianBlur(mask, (0, 0), blur).astype(np.float32) / 255
    return soft


def polyline(contour: NDArray[np.float64], blur: float, closed: bool = True) -> Picture:
    """Soft line (SIZE, SIZE), 0 to 1, along a contour."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    fixed = np.round(contour * 16).astype(np.int32)
    cv2.polylines(mask, [fixed], closed, 255, 2, cv2.LINE_AA, 4)
    soft: Picture = cv2.GaussianBlur(mask, (0, 0), blur).astype(np.float32) / 255
    return soft


def least_squares_affine(
    before: NDArray[np.float64], after: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Affine matrix (2, 3) of the least-squares map from points (N, 2) to points (N, 2)."""
    known = np.column_stack([before, np.ones(len(before))])
    solution = np.linalg.lstsq(known, after, rcond=None)[0]
    matrix: NDArray[np.float64] = solution.T.astype(np.float64)
    return matrix


def head_weight(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each point (V, 2) follows the head: 1 on head and hair, 0 on background and suit."""
    centre, radii = np.array([0.497, 0.40]) * SIZE, np.array([0.37, 0.42]) * SIZE
    away = np.linalg.norm((points - centre) / radii, axis=1)
    rest = np.clip((away - 0.98) / 0.34, 0, 1)
    weight: NDArray[np.float64] = 1 - rest**2 * (3 - 2 * rest)
    return weight


def without_openings(portrait: Portrait) -> Picture:
    """The skin alone: teeth and eyeballs are painted over from the rims of the lips and lids."""
    holes = np.zeros((SIZE, SIZE), np.uint8)
    for ring, wider in ((INNER_LIPS, 5), (RIGHT_EYE, 1), (LEFT_EYE, 1)):
        hole = np.zeros_like(holes)
        cv2.fillPoly(hole, [np.round(portrait.points[list(ring)]).astype(np.int32)], 255)
        holes |= cv2.dilate(hole, np.ones((wider, wider), np.uint8))
    return painted_over(portrait, holes)


def eyeball_layer(portrait: Portrait) -> Picture:
    """The eyes without lids: what lies within the lids, continued a little beyond them."""
    band = np.zeros((SIZE, SIZE), np.uint8)
    for ring in (RIGHT_EYE, LEFT_EYE):
        inside = np.zeros_like(band)
        cv2.fillPoly(inside, [np.round(portrait.points[list(ring)]).astype(np.int32)], 255)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (35, 35))
        band |= cv2.dilate(inside, kernel) & ~cv2.erode(inside, np.ones((3, 3), np.uint8))
    return painted_over(portrait, band)


def mouth_layers(portrait: Portrait) -> tuple[Picture, Picture]:
    """The dark of the mouth with a hint of tongue (RGB), and the upper teeth (RGB, alpha)."""
    lips = portrait.points[list(INNER_LIPS)]
    row, column = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    centre = portrait.points[14] - (0.0, 2.0)
    near = np.exp(-(((column - centre[0]) / 24) ** 2) - ((row - centre[1]) / 11) ** 2)
    dark = np.array([52.0, 18.0, 18.0], np.float32)
    tongue = np.array([150.0, 72.0, 70.0], np.float32)
    inside = dark + near[..., None] * (tongue - dark)
    middle = lips.mean(axis=0)
    teeth = polygon(middle + (lips - middle) * (0.97, 0.84), 1.0)[..., None]
    return inside.astype(np.float32), np.dstack([portrait.picture.astype(np.float32), teeth])


def without_smile_lines(
    skin: Picture, portrait: Portrait, origin: NDArray[np.float64], axes: NDArray[np.float64]
) -> Picture:
    """The skin with the folds from nose to mouth made faint, as they are on a relaxed face."""
    row, column = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    local = (np.stack([column, row], axis=-1) - origin) @ np.linalg.inv(axes)
    x, y = np.abs(local[..., 0]), local[..., 1]
    fold = np.exp(-(((x - 22.5 - 0.25 * (y + 4)) / 3.6) ** 2) - ((y + 2.0) / 7.0) ** 2)
    keep = polygon(portrait.points[[61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 17]], 2.0)
    mask = (np.clip(fold * 1.1, 0, 1) * (1 - keep)).astype(np.float32)[..., None]
    soft = cv2.GaussianBlur(skin, (0, 0), 9.0)
    fine = skin - cv2.GaussianBlur(skin, (0, 0), 1.5)
    calm: Picture = skin * (1 - mask) + (soft + 0.7 * fine) * mask
    return calm
