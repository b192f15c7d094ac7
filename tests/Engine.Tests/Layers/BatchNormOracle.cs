using ConvNet.Engine.Geometry;

namespace ConvNet.Engine.Tests.Layers;

/// <summary>Batch norm in float64 over a whole batch (N, C, H, W) at once, with γ = 1.5 and β = 0.25.</summary>
internal sealed class BatchNormOracle
{
    private const double Gamma = 1.5;
    private const double Beta = 0.25;
    private const double Epsilon = 1e-5;

    public BatchNormOracle(float[] x, float[] dy, int batch, Shape shape)
    {
        Y = new double[x.Length];
        Dx = new double[x.Length];
        DGamma = new double[shape.C];
        DBeta = new double[shape.C];
        for (int c = 0; c < shape.C; c++)
        {
            int[] places = [.. Enumerable.Range(0, x.Length).Where(i => i / shape.Area % shape.C == c)];
            double mean = places.Average(i => (double)x[i]);
            double inverse = 1 / Math.Sqrt(places.Average(i => (x[i] - mean) * (x[i] - mean)) + Epsilon);
            DBeta[c] = places.Sum(i => (double)dy[i]);
            DGamma[c] = places.Sum(i => dy[i] * (x[i] - mean) * inverse);
            foreach (int i in places)
            {
                double xhat = (x[i] - mean) * inverse;
                Y[i] = Gamma * xhat + Beta;
                Dx[i] = Gamma * inverse * (dy[i] - DBeta[c] / places.Length - xhat * DGamma[c] / places.Length);
            }
        }
    }

    public double[] Y { get; }

    public double[] Dx { get; }

    public double[] DGamma { get; }

    public double[] DBeta { get; }
}
