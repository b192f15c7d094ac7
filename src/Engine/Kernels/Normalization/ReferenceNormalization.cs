namespace ConvNet.Engine.Kernels.Normalization;

/// <summary>Plain loops with double accumulators.</summary>
internal sealed class ReferenceNormalization : NormalizationKernel
{
    public override void Moments(ReadOnlySpan<float> x, Span<double> mean, Span<double> m2)
    {
        int area = x.Length / 8;
        for (int lane = 0; lane < 8; lane++)
        {
            double sum = 0;
            for (int i = lane; i < x.Length; i += 8)
            {
                sum += x[i];
            }

            mean[lane] = sum / area;
            double squares = 0;
            for (int i = lane; i < x.Length; i += 8)
            {
                double deviation = x[i] - mean[lane];
                squares += deviation * deviation;
            }

            m2[lane] = squares;
        }
    }

    public override void Forward(ReadOnlySpan<float> x, Span<float> y, in NormBlock block, bool relu)
    {
        for (int i = 0; i < x.Length; i++)
        {
            float value = Affine(Normalized(x[i], block, i & 7), block, i & 7);
            y[i] = relu && value <= 0 ? 0 : value;
        }
    }

    public override void BackwardSums(
        ReadOnlySpan<float> x, ReadOnlySpan<float> dy, in NormBlock block, bool relu, Span<double> sumDy, Span<double> sumDyXhat)
    {
        sumDy.Clear();
        sumDyXhat.Clear();
        for (int i = 0; i < x.Length; i++)
        {
            int lane = i & 7;
            float xhat = Normalized(x[i], block, lane);
            if (relu && Affine(xhat, block, lane) <= 0)
            {
                continue;
            }

            sumDy[lane] += dy[i];
            sumDyXhat[lane] += (double)dy[i] * xhat;
        }
    }

    public override void Backward(ReadOnlySpan<float> x, ReadOnlySpan<float> dy, Span<float> dx, in NormBlock block, bool relu)
    {
        for (int i = 0; i < x.Length; i++)
        {
            int lane = i & 7;
            float xhat = Normalized(x[i], block, lane);
            double gradient = relu && Affine(xhat, block, lane) <= 0 ? 0 : dy[i];
            dx[i] = (float)(gradient * block.DyScale[lane] - block.DyShift[lane] - (double)xhat * block.XhatScale[lane]);
        }
    }

    private static float Normalized(float x, in NormBlock block, int lane) =>
        ((x - block.MeanHigh[lane]) - block.MeanLow[lane]) * block.InverseDeviation[lane];

    private static float Affine(float xhat, in NormBlock block, int lane) =>
        MathF.FusedMultiplyAdd(xhat, block.Gamma[lane], block.Beta[lane]);
}
