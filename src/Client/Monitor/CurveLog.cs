namespace ConvNet.Client.Monitor;

/// <summary>A curve over the steps of a job in bounded memory: when it is full, each two neighbours become one, their mean.</summary>
internal sealed class CurveLog
{
    public const int Most = 2048;

    private readonly List<(double Steps, double Values, int Count)> _points = [];
    private int _valuesOfPoint = 1;

    public CurvePoint[] Points => [.. _points.Select(point => new CurvePoint(point.Steps / point.Count, point.Values / point.Count))];

    /// <summary>The value of the last step; null before there is one.</summary>
    public double? Last { get; private set; }

    /// <param name="value">One that is not finite leaves a gap.</param>
    public void Add(long step, double value)
    {
        if (!double.IsFinite(value))
        {
            return;
        }

        Last = value;
        if (_points.Count > 0 && _points[^1].Count < _valuesOfPoint)
        {
            (double steps, double values, int count) = _points[^1];
            _points[^1] = (steps + step, values + value, count + 1);
            return;
        }

        if (_points.Count == Most)
        {
            Halve();
        }

        _points.Add((step, value, 1));
    }

    private void Halve()
    {
        for (int i = 0; i < Most / 2; i++)
        {
            (double Steps, double Values, int Count) first = _points[2 * i], second = _points[2 * i + 1];
            _points[i] = (first.Steps + second.Steps, first.Values + second.Values, first.Count + second.Count);
        }

        _points.RemoveRange(Most / 2, Most / 2);
        _valuesOfPoint *= 2;
    }
}
