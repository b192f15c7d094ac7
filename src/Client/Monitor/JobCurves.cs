namespace ConvNet.Client.Monitor;

/// <summary>What a job has told of its past: curves over its steps, and its last events as sentences.</summary>
/// <param name="TrainLoss">Of each step.</param>
/// <param name="TestLoss">Of each evaluation.</param>
/// <param name="IsReading">There is more that has not been read yet.</param>
internal sealed record JobCurves(
    Curve TrainLoss, Curve TestLoss, Curve TrainAccuracy, Curve TestAccuracy, IReadOnlyList<string> Events, bool IsReading)
{
    public static JobCurves Empty { get; } = new(Curve.Empty, Curve.Empty, Curve.Empty, Curve.Empty, [], IsReading: true);
}
