using ConvNet.Engine.Errors;

namespace ConvNet.Grains.Data;

/// <summary>Collects what is wrong with a data set, so that all of it can be mended at once.</summary>
/// <param name="most">How many faults are shown; the others are counted.</param>
internal sealed class FaultList(int most)
{
    private readonly List<string> _faults = [];

    public bool IsEmpty => _faults.Count == 0;

    public void Add(string? fault)
    {
        if (fault is not null)
        {
            _faults.Add(fault);
        }
    }

    /// <exception cref="ConvNetException">There are faults, one a line (exit code 3).</exception>
    public void ThrowIfAny()
    {
        if (IsEmpty)
        {
            return;
        }

        IEnumerable<string> shown = _faults.Take(most);
        if (_faults.Count > most)
        {
            shown = shown.Append($"There are {_faults.Count - most} more faults; convnet data check lists all.");
        }

        throw ConvNetException.BadInput(string.Join(Environment.NewLine + "error: ", shown));
    }
}
