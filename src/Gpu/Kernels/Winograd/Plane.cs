using ConvNet.Gpu.Numerics;

namespace ConvNet.Gpu.Kernels.Winograd;

/// <summary>Up to 6 × 6 values in registers, as six lines.</summary>
internal struct Plane
{
    public Line L0, L1, L2, L3, L4, L5;

    /// <summary>Applies the map to each of its columns, then to each row that results; lines are columns before, and rows after.</summary>
    public static Plane Map<TMap>(Plane columns)
        where TMap : struct, ILineMap
    {
        TMap map = default;
        Line c0 = map.Apply(columns.L0);
        Line c1 = map.Apply(columns.L1);
        Line c2 = map.Inputs > 2 ? map.Apply(columns.L2) : default;
        Line c3 = map.Inputs > 3 ? map.Apply(columns.L3) : default;
        Line c4 = map.Inputs > 4 ? map.Apply(columns.L4) : default;
        Line c5 = map.Inputs > 5 ? map.Apply(columns.L5) : default;
        Plane rows = default;
        rows.L0 = map.Apply(Row(c0.V0, c1.V0, c2.V0, c3.V0, c4.V0, c5.V0));
        rows.L1 = map.Apply(Row(c0.V1, c1.V1, c2.V1, c3.V1, c4.V1, c5.V1));
        if (map.Outputs > 2)
        {
            rows.L2 = map.Apply(Row(c0.V2, c1.V2, c2.V2, c3.V2, c4.V2, c5.V2));
        }

        if (map.Outputs > 3)
        {
            rows.L3 = map.Apply(Row(c0.V3, c1.V3, c2.V3, c3.V3, c4.V3, c5.V3));
        }

        if (map.Outputs > 4)
        {
            rows.L4 = map.Apply(Row(c0.V4, c1.V4, c2.V4, c3.V4, c4.V4, c5.V4));
        }

        if (map.Outputs > 5)
        {
            rows.L5 = map.Apply(Row(c0.V5, c1.V5, c2.V5, c3.V5, c4.V5, c5.V5));
        }

        return rows;
    }

    private static Line Row(Float32 v0, Float32 v1, Float32 v2, Float32 v3, Float32 v4, Float32 v5)
    {
        Line line = default;
        line.V0 = v0;
        line.V1 = v1;
        line.V2 = v2;
        line.V3 = v3;
        line.V4 = v4;
        line.V5 = v5;
        return line;
    }
}
