"""A new VIVID of the mini kind: tokenizer, text encoder, codec, transformer and scheduler with untrained weights."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from diffusers import CogVideoXDDIMScheduler, CogVideoXTransformer3DModel
from diffusers.models.attention_processor import Attention
from pydantic import BaseModel, ConfigDict
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import nn
from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel

from vivid_bench.vivid.codec import SpaceToDepthCodec
from vivid_bench.vivid.pipeline import VividPipeline

PAD, END = "<pad>", "</s>"
PLACE_BIAS = 1.2
PATCH = 2


class ModelConfig(BaseModel):
    """The sizes of a mini VIVID.

    Attributes:
        width: the transformer's; `heads` must divide it, and the head's size must be a multiple of 8.
        spatial_compression, temporal_compression: the codec's; the transformer's patches join 2x2 latents more.
        caption_tokens: longer captions are cut.
        snr_shift: how much noisier than CogVideoX-5B's schedule; blocks of pixels are so redundant that with little
            noise nothing is left to predict.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: int
    heads: int
    layers: int
    time_embedding: int = 128
    spatial_compression: int = 4
    temporal_compression: int = 4
    text_width: int = 128
    text_heads: int = 4
    text_layers: int = 2
    caption_tokens: int = 16
    vocabulary: int = 1024
    snr_shift: float = 40.0

    @property
    def patch_side(self) -> int:
        """Pixels in the side of a transformer's token."""
        return PATCH * self.spatial_compression


def build_pipeline(config: ModelConfig, captions: Iterable[str], seed: int = 0) -> VividPipeline:
    """Make an untrained mini VIVID whose tokenizer knows the words of `captions`; `seed` decides the weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tokenizer = build_tokenizer(captions, config.vocabulary)
        return VividPipeline(
            tokenizer=tokenizer,
            text_encoder=_text_encoder(config, tokenizer),
            vae=SpaceToDepthCodec(config.spatial_compression, config.temporal_compression),
            transformer=_transformer(config),
            scheduler=CogVideoXDDIMScheduler(
                prediction_type="sample",
                timestep_spacing="trailing",
                rescale_betas_zero_snr=True,
                snr_shift_scale=config.snr_shift,
                clip_sample=False,
            ),
        )


def build_tokenizer(captions: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE: words of `captions` become tokens of their own, any other text is spelt in pieces."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(captions, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", special_tokens=[(END, tokenizer.token_to_id(END))]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PAD, eos_token=END)


def _text_encoder(config: ModelConfig, tokenizer: PreTrainedTokenizerFast) -> T5EncoderModel:
    return T5EncoderModel(
        T5Config(
            vocab_size=config.vocabulary,
            d_model=config.text_width,
            d_kv=config.text_width // config.text_heads,
            d_ff=4 * config.text_width,
            num_layers=config.text_layers,
            num_heads=config.text_heads,
            dropout_rate=0.0,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def _transformer(config: ModelConfig) -> CogVideoXTransformer3DModel:
    pixels = config.spatial_compression**2 * config.temporal_compression
    transformer = CogVideoXTransformer3DModel(
        num_attention_heads=config.heads,
        attention_head_dim=config.width // config.heads,
        in_channels=(3 + 3 + 1) * pixels,
        out_channels=3 * pixels,
        time_embed_dim=config.time_embedding,
        text_embed_dim=config.text_width,
        num_layers=config.layers,
        patch_size=PATCH,
        temporal_compression_ratio=config.temporal_compression,
        max_text_seq_length=config.caption_tokens,
        use_rotary_positional_embeddings=True,
    )
    _initialise(transformer)
    return transformer


def _initialise(transformer: CogVideoXTransformer3DModel) -> None:
    """Start as a plain pre-norm transformer that looks at one place in all frames and whose output is silent.

    From a random start a model of this size takes many times as long to ignore the noise, which says nothing about the
    edit, and to find that what a hole hides in one frame may be seen in another.
    """
    dim = transformer.proj_out.in_features
    scale = (2 * len(transformer.transformer_blocks)) ** -0.5
    for block in transformer.transformer_blocks:
        for norm in (block.norm1, block.norm2):
            nn.init.zeros_(norm.linear.weight)
            nn.init.zeros_(norm.linear.bias)
            # No modulation, gates open: the six parts are shift, scale and gate of the video, then of the caption.
            norm.linear.bias.data[2 * dim : 3 * dim] = 1
            norm.linear.bias.data[5 * dim :] = 1
        _look_at_one_place(block.attn1)
        block.ff.net[2].weight.data *= scale
    # The first input channels are the noisy latent's.
    nn.init.zeros_(transformer.patch_embed.proj.weight[:, : transformer.config.out_channels])
    nn.init.zeros_(transformer.proj_out.weight)
    nn.init.zeros_(transformer.proj_out.bias)


def _look_at_one_place(attention: Attention) -> None:
    """Let a token attend to its own place in every frame, and take what it finds there as it is."""
    time = attention.norm_q.bias.shape[0] // 4
    for norm in (attention.norm_q, attention.norm_k):
        # Of a head's channels the first quarter is rotated by time, the rest by place; equal vectors agree most where
        # nothing is rotated against the other.
        norm.bias.data[time:] = PLACE_BIAS
    nn.init.eye_(attention.to_v.weight)
    nn.init.eye_(attention.to_out[0].weight).data.mul_(0.5)
