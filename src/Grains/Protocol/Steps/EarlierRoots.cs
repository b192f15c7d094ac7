using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Protocol.Steps;

/// <summary>
/// What workers sent of a step in earlier generations. When the step runs again, a server compares: whoever computes a root must get its bits.
/// Workers that have left count no more.
/// </summary>
internal sealed class EarlierRoots(long step)
{
    private readonly Dictionary<(int Sum, TreeNode Node), List<(string Worker, Fingerprint Print)>> _roots = [];
    private (int Sum, TreeNode Node, string Worker, Fingerprint Print)? _first;

    public long Step => step;

    /// <summary>A generation begins: what is to be compared in it, or null if there is nothing.</summary>
    /// <param name="known">Of the generation before.</param>
    /// <param name="add">Adds what has arrived in that generation of the step that the new one runs first; null: nothing has.</param>
    public static EarlierRoots? Before(Assignment assignment, EarlierRoots? known, Action<EarlierRoots>? add)
    {
        if (assignment.Start != AssignmentStart.GoOn)
        {
            return null;
        }

        EarlierRoots earlier = known?.Step == assignment.FirstStep ? known : new EarlierRoots(assignment.FirstStep);
        add?.Invoke(earlier);
        earlier._first = null;
        HashSet<string> present = [.. assignment.Workers.Select(worker => worker.Name)];
        foreach (List<(string Worker, Fingerprint Print)> claims in earlier._roots.Values)
        {
            claims.RemoveAll(claim => !present.Contains(claim.Worker));
        }

        return earlier._roots.Values.Any(claims => claims.Count > 0) ? earlier : null;
    }

    /// <param name="sum">Which of the server's sums, in the order in which a step computes them.</param>
    public void Add(int sum, TreeNode node, string worker, Fingerprint print)
    {
        if (!_roots.TryGetValue((sum, node), out List<(string Worker, Fingerprint Print)>? claims))
        {
            _roots.Add((sum, node), claims = []);
        }

        if (!claims.Any(claim => claim.Worker == worker && claim.Print.Matches(print)))
        {
            claims.Add((worker, print));
        }
    }

    /// <summary>A root has arrived: is it what it was before?</summary>
    public void Compare(int sum, TreeNode node, string worker, Fingerprint print)
    {
        if (!_roots.TryGetValue((sum, node), out List<(string Worker, Fingerprint Print)>? claims) || claims.All(claim => claim.Print.Matches(print)))
        {
            return;
        }

        if (_first is not { } first || (sum, node.FirstShard).CompareTo((first.Sum, first.Node.FirstShard)) < 0)
        {
            _first = (sum, node, worker, print);
        }
    }

    /// <summary>The first difference in the order in which a step computes, whatever the order of arrival; null if there is none.</summary>
    /// <param name="what">Of a sum: the layer, and which of its values.</param>
    /// <param name="order">Of a sum, for <see cref="Disagreement.Order"/>.</param>
    public Disagreement? Find(StepNodes nodes, Func<int, string> what, Func<int, int> order)
    {
        if (_first is not { } first)
        {
            return null;
        }

        List<Fingerprint> distinct = [];
        var claims = new List<RootClaim>();
        foreach ((string worker, Fingerprint print) in _roots[(first.Sum, first.Node)].Append((first.Worker, first.Print)))
        {
            int bits = distinct.FindIndex(known => known.Matches(print));
            if (bits < 0)
            {
                bits = distinct.Count;
                distinct.Add(print);
            }

            claims.Add(new RootClaim(worker, bits, print.IsFinite));
        }

        return new Disagreement(what(first.Sum), nodes.SamplesOf(first.Node), [.. claims], order(first.Sum));
    }
}
