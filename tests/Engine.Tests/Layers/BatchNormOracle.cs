using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Tests.Layers;

/// <summary>Batch norm over a whole batch, forward and backward, in float64 and two passes.</summary>
internal sealed class BatchNormOracle
{
    private const double Epsilon = 1e-5;

    public BatchNormOracle(Shape shape, int batch, float[] x, float[] dy, float[] gamma, float[] beta)
    {
        Y = new double[x.Length];
        Dx = new double[x.Length];
        DGamma = new double[shape.C];
        DBeta = new double[shape.C];
        for (int c = 0; c < shape.C; c++)
        {
            int[] positions =
                [.. Enumerable.Range(0, batch).SelectMany(n => Enumerable.Range(n * shape.Count + c * shape.Area, shape.Area))];
            double mean = positions.Average(i => (double)x[i]);
            double variance = positions.Average(i => (x[i] - mean) * (x[i] - mean));
            double invstd = 1 / Math.Sqrt(variance + Epsilon);
            DBeta[c] = positions.Sum(i => (double)dy[i]);
            DGamma[c] = positions.Sum(i => dy[i] * (x[i] - mean) * invstd);
            foreach (int i in positions)
            {
                double xhat = (x[i] - mean) * invstd;
                Y[i] = gamma[c] * xhat + beta[c];
                Dx[i] = gamma[c] * invstd * (dy[i] - (DBeta[c] + xhat * DGamma[c]) / positions.Length);
            }
        }
    }

    public double[] Y { get; }

    public double[] Dx { get; }

    public double[] DGamma { get; }

    public double[] DBeta { get; }
}
