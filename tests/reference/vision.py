"""From image features and boxes to the image tokens that join the text."""
import torch

from layers import linear, named_norm


def pool(features, side):
    """[B, n, F] or [B, images, n, F], each a square grid, max-pooled to side x side cells."""
    grids = features.reshape(-1, *features.shape[-2:])
    size = round(grids.shape[1] ** 0.5)
    grids = grids.reshape(-1, size, size, grids.shape[-1])
    starts = [i * size // side for i in range(side)]
    ends = [-(-(i + 1) * size // side) for i in range(side)]
    cells = [grids[:, starts[i]:ends[i], starts[j]:ends[j]].amax((1, 2))
             for i in range(side) for j in range(side)]
    return torch.stack(cells, 1).reshape(features.shape[0], -1, features.shape[-1])


def keep_boxes(boxes, side):
    """The first boxes of each image; they are not pooled."""
    return boxes[..., :side * side, :].reshape(boxes.shape[0], -1, 4)


def order_ids(features, side):
    """Image order ids and object order ids of one sequence's tokens."""
    images = features.shape[1] if features.dim() == 4 else 1
    cells = side * side
    return (torch.arange(images).repeat_interleave(cells),
            torch.arange(cells).repeat(images))


def visual_embedding(w, stack, table, features, boxes, image_ids, object_ids):
    name = stack + ".visual_embedding"

    def norm(which, x):
        return named_norm(w, which, x) if which + ".weight" in w else x
    area = (boxes[..., 3] - boxes[..., 2]) * (boxes[..., 1] - boxes[..., 0])
    places = torch.cat([boxes, area[..., None]], -1)
    tokens = (norm(name + ".feat_embedding.1", linear(w, name + ".feat_embedding.0", features)) +
              norm(name + ".absolute_vis_pos_embedding.1",
                   linear(w, name + ".absolute_vis_pos_embedding.0", places)))
    if name + ".img_order_embedding.weight" in w:
        tokens = (tokens + w[name + ".img_order_embedding.weight"][image_ids] +
                  table[table.shape[0] - 1 - object_ids])
    return norm(name + ".layer_norm", tokens)
