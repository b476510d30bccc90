"""All rankings of neurons by name; a new one is one small file and one row here."""

from tunescope.neurons.rankings.average_precision import AveragePrecisionRanking
from tunescope.neurons.rankings.cross_model import LinRegRanking, MaxCorrRanking, MinCorrRanking
from tunescope.neurons.rankings.gaussian import GaussianRanking
from tunescope.neurons.rankings.iou import IouRanking
from tunescope.neurons.rankings.lca import LcaRanking
from tunescope.neurons.rankings.linear import LinearRanking
from tunescope.neurons.rankings.mean_select import MeanSelectRanking
from tunescope.neurons.rankings.method import RankingMethod
from tunescope.neurons.rankings.probeless import ProbelessRanking
from tunescope.neurons.rankings.random import RandomRanking

RANKINGS: dict[str, type[RankingMethod]] = {
    method.name: method
    for method in (
        LcaRanking,
        LinearRanking,
        ProbelessRanking,
        MeanSelectRanking,
        IouRanking,
        AveragePrecisionRanking,
        GaussianRanking,
        RandomRanking,
        MaxCorrRanking,
        MinCorrRanking,
        LinRegRanking,
    )
}
