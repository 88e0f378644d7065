"""Config classes: what to build, as frozen attrs objects, without torch.

Every class is importable from here, and loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnspec.config.advanced_activations import (
        ELUConfig as ELUConfig,
        LeakyReLUConfig as LeakyReLUConfig,
        PReLUConfig as PReLUConfig,
        ReLUConfig as ReLUConfig,
        SoftmaxConfig as SoftmaxConfig,
        ThresholdedReLUConfig as ThresholdedReLUConfig,
    )
    from rnnspec.config.base import (
        Config as Config,
        TaggedConfig as TaggedConfig,
    )
    from rnnspec.config.cells import (
        CellConfig as CellConfig,
        GRUCellConfig as GRUCellConfig,
        LSTMCellConfig as LSTMCellConfig,
        RegisteredCellConfig as RegisteredCellConfig,
        SimpleRNNCellConfig as SimpleRNNCellConfig,
    )
    from rnnspec.config.constraints import (
        ConstraintConfig as ConstraintConfig,
        MaxNormConfig as MaxNormConfig,
        MinMaxNormConfig as MinMaxNormConfig,
        NonNegConfig as NonNegConfig,
        RegisteredConstraintConfig as RegisteredConstraintConfig,
        UnitNormConfig as UnitNormConfig,
    )
    from rnnspec.config.convert import (
        from_dict as from_dict,
    )
    from rnnspec.config.convolutional import (
        Conv1DConfig as Conv1DConfig,
        Cropping1DConfig as Cropping1DConfig,
        UpSampling1DConfig as UpSampling1DConfig,
        ZeroPadding1DConfig as ZeroPadding1DConfig,
    )
    from rnnspec.config.core import (
        ActivationConfig as ActivationConfig,
        ActivityRegularizationConfig as ActivityRegularizationConfig,
        DenseConfig as DenseConfig,
        DropoutConfig as DropoutConfig,
        InputConfig as InputConfig,
        MaskingConfig as MaskingConfig,
        SpatialDropout1DConfig as SpatialDropout1DConfig,
        UnmaskingConfig as UnmaskingConfig,
    )
    from rnnspec.config.embeddings import (
        EmbeddingConfig as EmbeddingConfig,
    )
    from rnnspec.config.error_metrics import (
        ConcordanceCorrCoefMetricConfig as ConcordanceCorrCoefMetricConfig,
        CosineSimilarityMetricConfig as CosineSimilarityMetricConfig,
        ErrorMetricConfig as ErrorMetricConfig,
        ExplainedVarianceMetricConfig as ExplainedVarianceMetricConfig,
        KendallRankCorrCoefMetricConfig as KendallRankCorrCoefMetricConfig,
        LogCoshErrorMetricConfig as LogCoshErrorMetricConfig,
        MeanAbsoluteErrorMetricConfig as MeanAbsoluteErrorMetricConfig,
        MeanAbsolutePercentageErrorMetricConfig as MeanAbsolutePercentageErrorMetricConfig,
        MeanSquaredErrorMetricConfig as MeanSquaredErrorMetricConfig,
        MeanSquaredLogErrorMetricConfig as MeanSquaredLogErrorMetricConfig,
        MinkowskiDistanceMetricConfig as MinkowskiDistanceMetricConfig,
        NormalizedRootMeanSquaredErrorMetricConfig as NormalizedRootMeanSquaredErrorMetricConfig,
        PearsonCorrCoefMetricConfig as PearsonCorrCoefMetricConfig,
        R2ScoreMetricConfig as R2ScoreMetricConfig,
        RelativeSquaredErrorMetricConfig as RelativeSquaredErrorMetricConfig,
        SpearmanCorrCoefMetricConfig as SpearmanCorrCoefMetricConfig,
        SymmetricMeanAbsolutePercentageErrorMetricConfig as SymmetricMeanAbsolutePercentageErrorMetricConfig,
        TweedieDevianceScoreMetricConfig as TweedieDevianceScoreMetricConfig,
        WeightedMeanAbsolutePercentageErrorMetricConfig as WeightedMeanAbsolutePercentageErrorMetricConfig,
    )
    from rnnspec.config.experiment import (
        DataConfig as DataConfig,
        ExperimentConfig as ExperimentConfig,
        HKCanCorConfig as HKCanCorConfig,
        JapaneseVowelsConfig as JapaneseVowelsConfig,
        TrainConfig as TrainConfig,
    )
    from rnnspec.config.functions import (
        LambdaConfig as LambdaConfig,
    )
    from rnnspec.config.graph import (
        GraphConfig as GraphConfig,
    )
    from rnnspec.config.inference import (
        Inference as Inference,
        LayerShapes as LayerShapes,
        infer as infer,
    )
    from rnnspec.config.initializers import (
        ConstantInitializerConfig as ConstantInitializerConfig,
        GlorotNormalInitializerConfig as GlorotNormalInitializerConfig,
        GlorotUniformInitializerConfig as GlorotUniformInitializerConfig,
        HeNormalInitializerConfig as HeNormalInitializerConfig,
        HeUniformInitializerConfig as HeUniformInitializerConfig,
        IdentityInitializerConfig as IdentityInitializerConfig,
        InitializerConfig as InitializerConfig,
        LecunNormalInitializerConfig as LecunNormalInitializerConfig,
        LecunUniformInitializerConfig as LecunUniformInitializerConfig,
        NormalInitializerConfig as NormalInitializerConfig,
        OnesInitializerConfig as OnesInitializerConfig,
        OrthogonalInitializerConfig as OrthogonalInitializerConfig,
        RegisteredInitializerConfig as RegisteredInitializerConfig,
        ScaledInitializerConfig as ScaledInitializerConfig,
        TruncatedNormalInitializerConfig as TruncatedNormalInitializerConfig,
        UniformInitializerConfig as UniformInitializerConfig,
        VarianceScalingInitializerConfig as VarianceScalingInitializerConfig,
        ZerosInitializerConfig as ZerosInitializerConfig,
    )
    from rnnspec.config.layer import (
        LayerConfig as LayerConfig,
        RegisteredLayerConfig as RegisteredLayerConfig,
    )
    from rnnspec.config.losses import (
        BinaryCrossEntropyLossConfig as BinaryCrossEntropyLossConfig,
        CrossEntropyLossConfig as CrossEntropyLossConfig,
        HuberLossConfig as HuberLossConfig,
        LossConfig as LossConfig,
        MeanAbsoluteErrorLossConfig as MeanAbsoluteErrorLossConfig,
        MeanSquaredErrorLossConfig as MeanSquaredErrorLossConfig,
    )
    from rnnspec.config.merge import (
        AddConfig as AddConfig,
        AverageConfig as AverageConfig,
        ConcatenateConfig as ConcatenateConfig,
        DotConfig as DotConfig,
        MaximumConfig as MaximumConfig,
        MergeConfig as MergeConfig,
        MinimumConfig as MinimumConfig,
        MultiplyConfig as MultiplyConfig,
        SubtractConfig as SubtractConfig,
    )
    from rnnspec.config.metrics import (
        AccuracyMetricConfig as AccuracyMetricConfig,
        AUROCMetricConfig as AUROCMetricConfig,
        AveragedMetricConfig as AveragedMetricConfig,
        AveragePrecisionMetricConfig as AveragePrecisionMetricConfig,
        CalibrationErrorMetricConfig as CalibrationErrorMetricConfig,
        CohenKappaMetricConfig as CohenKappaMetricConfig,
        ConfusionMatrixMetricConfig as ConfusionMatrixMetricConfig,
        F1ScoreMetricConfig as F1ScoreMetricConfig,
        FBetaScoreMetricConfig as FBetaScoreMetricConfig,
        HammingDistanceMetricConfig as HammingDistanceMetricConfig,
        HingeLossMetricConfig as HingeLossMetricConfig,
        JaccardIndexMetricConfig as JaccardIndexMetricConfig,
        MatthewsCorrCoefMetricConfig as MatthewsCorrCoefMetricConfig,
        MetricConfig as MetricConfig,
        NegativePredictiveValueMetricConfig as NegativePredictiveValueMetricConfig,
        OtherMetricConfig as OtherMetricConfig,
        PrecisionMetricConfig as PrecisionMetricConfig,
        RecallMetricConfig as RecallMetricConfig,
        SpecificityMetricConfig as SpecificityMetricConfig,
    )
    from rnnspec.config.model import (
        SequentialConfig as SequentialConfig,
    )
    from rnnspec.config.module import (
        ModuleConfig as ModuleConfig,
    )
    from rnnspec.config.noise import (
        AlphaDropoutConfig as AlphaDropoutConfig,
        GaussianDropoutConfig as GaussianDropoutConfig,
        GaussianNoiseConfig as GaussianNoiseConfig,
    )
    from rnnspec.config.normalization import (
        BatchNormalizationConfig as BatchNormalizationConfig,
        LayerNormalizationConfig as LayerNormalizationConfig,
        RescalingConfig as RescalingConfig,
    )
    from rnnspec.config.optimizers import (
        AdamConfig as AdamConfig,
        AdamWConfig as AdamWConfig,
        OptimizerConfig as OptimizerConfig,
        RMSpropConfig as RMSpropConfig,
        SGDConfig as SGDConfig,
    )
    from rnnspec.config.pooling import (
        AveragePooling1DConfig as AveragePooling1DConfig,
        GlobalAveragePooling1DConfig as GlobalAveragePooling1DConfig,
        GlobalMaxPooling1DConfig as GlobalMaxPooling1DConfig,
        GlobalPoolingConfig as GlobalPoolingConfig,
        MaxPooling1DConfig as MaxPooling1DConfig,
        WindowPoolingConfig as WindowPoolingConfig,
    )
    from rnnspec.config.recurrent import (
        GRUConfig as GRUConfig,
        LSTMConfig as LSTMConfig,
        RNNConfig as RNNConfig,
        SimpleRNNConfig as SimpleRNNConfig,
    )
    from rnnspec.config.regularizers import (
        L1L2RegularizerConfig as L1L2RegularizerConfig,
        L1RegularizerConfig as L1RegularizerConfig,
        L2RegularizerConfig as L2RegularizerConfig,
        RegisteredRegularizerConfig as RegisteredRegularizerConfig,
        RegularizerConfig as RegularizerConfig,
    )
    from rnnspec.config.reshaping import (
        FlattenConfig as FlattenConfig,
        PermuteConfig as PermuteConfig,
        RepeatVectorConfig as RepeatVectorConfig,
        ReshapeConfig as ReshapeConfig,
    )
    from rnnspec.config.sequence import (
        RecurrentConfig as RecurrentConfig,
    )
    from rnnspec.config.wrappers import (
        BidirectionalConfig as BidirectionalConfig,
        TimeDistributedConfig as TimeDistributedConfig,
        WrapperConfig as WrapperConfig,
    )

# Every public name and the module of this package that holds it; the block above is the twin for type checkers.
_MODULE_OF = {
    "AUROCMetricConfig": "metrics",
    "AccuracyMetricConfig": "metrics",
    "ActivationConfig": "core",
    "ActivityRegularizationConfig": "core",
    "AdamConfig": "optimizers",
    "AdamWConfig": "optimizers",
    "AddConfig": "merge",
    "AlphaDropoutConfig": "noise",
    "AverageConfig": "merge",
    "AveragePooling1DConfig": "pooling",
    "AveragePrecisionMetricConfig": "metrics",
    "AveragedMetricConfig": "metrics",
    "BatchNormalizationConfig": "normalization",
    "BidirectionalConfig": "wrappers",
    "BinaryCrossEntropyLossConfig": "losses",
    "CalibrationErrorMetricConfig": "metrics",
    "CellConfig": "cells",
    "CohenKappaMetricConfig": "metrics",
    "ConcatenateConfig": "merge",
    "ConcordanceCorrCoefMetricConfig": "error_metrics",
    "Config": "base",
    "ConfusionMatrixMetricConfig": "metrics",
    "ConstantInitializerConfig": "initializers",
    "ConstraintConfig": "constraints",
    "Conv1DConfig": "convolutional",
    "CosineSimilarityMetricConfig": "error_metrics",
    "Cropping1DConfig": "convolutional",
    "CrossEntropyLossConfig": "losses",
    "DataConfig": "experiment",
    "DenseConfig": "core",
    "DotConfig": "merge",
    "DropoutConfig": "core",
    "ELUConfig": "advanced_activations",
    "EmbeddingConfig": "embeddings",
    "ErrorMetricConfig": "error_metrics",
    "ExperimentConfig": "experiment",
    "ExplainedVarianceMetricConfig": "error_metrics",
    "F1ScoreMetricConfig": "metrics",
    "FBetaScoreMetricConfig": "metrics",
    "FlattenConfig": "reshaping",
    "GRUCellConfig": "cells",
    "GRUConfig": "recurrent",
    "GaussianDropoutConfig": "noise",
    "GaussianNoiseConfig": "noise",
    "GlobalAveragePooling1DConfig": "pooling",
    "GlobalMaxPooling1DConfig": "pooling",
    "GlobalPoolingConfig": "pooling",
    "GlorotNormalInitializerConfig": "initializers",
    "GlorotUniformInitializerConfig": "initializers",
    "GraphConfig": "graph",
    "HKCanCorConfig": "experiment",
    "HammingDistanceMetricConfig": "metrics",
    "HeNormalInitializerConfig": "initializers",
    "HeUniformInitializerConfig": "initializers",
    "HingeLossMetricConfig": "metrics",
    "HuberLossConfig": "losses",
    "IdentityInitializerConfig": "initializers",
    "Inference": "inference",
    "InitializerConfig": "initializers",
    "InputConfig": "core",
    "JaccardIndexMetricConfig": "metrics",
    "JapaneseVowelsConfig": "experiment",
    "KendallRankCorrCoefMetricConfig": "error_metrics",
    "L1L2RegularizerConfig": "regularizers",
    "L1RegularizerConfig": "regularizers",
    "L2RegularizerConfig": "regularizers",
    "LSTMCellConfig": "cells",
    "LSTMConfig": "recurrent",
    "LambdaConfig": "functions",
    "LayerConfig": "layer",
    "LayerNormalizationConfig": "normalization",
    "LayerShapes": "inference",
    "LeakyReLUConfig": "advanced_activations",
    "LecunNormalInitializerConfig": "initializers",
    "LecunUniformInitializerConfig": "initializers",
    "LogCoshErrorMetricConfig": "error_metrics",
    "LossConfig": "losses",
    "MaskingConfig": "core",
    "MatthewsCorrCoefMetricConfig": "metrics",
    "MaxNormConfig": "constraints",
    "MaxPooling1DConfig": "pooling",
    "MaximumConfig": "merge",
    "MeanAbsoluteErrorLossConfig": "losses",
    "MeanAbsoluteErrorMetricConfig": "error_metrics",
    "MeanAbsolutePercentageErrorMetricConfig": "error_metrics",
    "MeanSquaredErrorLossConfig": "losses",
    "MeanSquaredErrorMetricConfig": "error_metrics",
    "MeanSquaredLogErrorMetricConfig": "error_metrics",
    "MergeConfig": "merge",
    "MetricConfig": "metrics",
    "MinMaxNormConfig": "constraints",
    "MinimumConfig": "merge",
    "MinkowskiDistanceMetricConfig": "error_metrics",
    "ModuleConfig": "module",
    "MultiplyConfig": "merge",
    "NegativePredictiveValueMetricConfig": "metrics",
    "NonNegConfig": "constraints",
    "NormalInitializerConfig": "initializers",
    "NormalizedRootMeanSquaredErrorMetricConfig": "error_metrics",
    "OnesInitializerConfig": "initializers",
    "OptimizerConfig": "optimizers",
    "OrthogonalInitializerConfig": "initializers",
    "OtherMetricConfig": "metrics",
    "PReLUConfig": "advanced_activations",
    "PearsonCorrCoefMetricConfig": "error_metrics",
    "PermuteConfig": "reshaping",
    "PrecisionMetricConfig": "metrics",
    "R2ScoreMetricConfig": "error_metrics",
    "RMSpropConfig": "optimizers",
    "RNNConfig": "recurrent",
    "ReLUConfig": "advanced_activations",
    "RecallMetricConfig": "metrics",
    "RecurrentConfig": "sequence",
    "RegisteredCellConfig": "cells",
    "RegisteredConstraintConfig": "constraints",
    "RegisteredInitializerConfig": "initializers",
    "RegisteredLayerConfig": "layer",
    "RegisteredRegularizerConfig": "regularizers",
    "RegularizerConfig": "regularizers",
    "RelativeSquaredErrorMetricConfig": "error_metrics",
    "RepeatVectorConfig": "reshaping",
    "RescalingConfig": "normalization",
    "ReshapeConfig": "reshaping",
    "SGDConfig": "optimizers",
    "ScaledInitializerConfig": "initializers",
    "SequentialConfig": "model",
    "SimpleRNNCellConfig": "cells",
    "SimpleRNNConfig": "recurrent",
    "SoftmaxConfig": "advanced_activations",
    "SpatialDropout1DConfig": "core",
    "SpearmanCorrCoefMetricConfig": "error_metrics",
    "SpecificityMetricConfig": "metrics",
    "SubtractConfig": "merge",
    "SymmetricMeanAbsolutePercentageErrorMetricConfig": "error_metrics",
    "TaggedConfig": "base",
    "ThresholdedReLUConfig": "advanced_activations",
    "TimeDistributedConfig": "wrappers",
    "TrainConfig": "experiment",
    "TruncatedNormalInitializerConfig": "initializers",
    "TweedieDevianceScoreMetricConfig": "error_metrics",
    "UniformInitializerConfig": "initializers",
    "UnitNormConfig": "constraints",
    "UnmaskingConfig": "core",
    "UpSampling1DConfig": "convolutional",
    "VarianceScalingInitializerConfig": "initializers",
    "WeightedMeanAbsolutePercentageErrorMetricConfig": "error_metrics",
    "WindowPoolingConfig": "pooling",
    "WrapperConfig": "wrappers",
    "ZeroPadding1DConfig": "convolutional",
    "ZerosInitializerConfig": "initializers",
    "from_dict": "convert",
    "infer": "inference",
}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'rnnspec.config' has no attribute '{name}'")
    found = getattr(importlib.import_module(f"rnnspec.config.{_MODULE_OF[name]}"), name)
    # Kept, so that the next use costs no lookup here.
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})
