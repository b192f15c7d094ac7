using System.Runtime.InteropServices;
using ConvNet.Grains.Contracts.Messages;

namespace ConvNet.Grains.Tests.Simulation;

/// <summary>How often a simulation has come where: by the kind of fault, of command, and of answer to each kind of message.</summary>
internal sealed class BranchCounts
{
    private readonly Dictionary<string, int> _counts = [];
    private readonly Dictionary<(string Message, Verdict Verdict), int> _answers = [];

    /// <summary>Names and numbers, in the order of names.</summary>
    public IReadOnlyDictionary<string, int> ByName => new SortedDictionary<string, int>(
        _counts.Concat(_answers.Select(answer => KeyValuePair.Create(NameOf(answer.Key.Message, answer.Key.Verdict), answer.Value)))
            .Where(count => count.Value > 0).ToDictionary(),
        StringComparer.Ordinal);

    public static string NameOf(string message, Verdict verdict) => $"{message} is {verdict}";

    public void Add(string what, int times = 1) => CollectionsMarshal.GetValueRefOrAddDefault(_counts, what, out _) += times;

    /// <returns>The same.</returns>
    public Answer Add(string message, Answer answer)
    {
        CollectionsMarshal.GetValueRefOrAddDefault(_answers, (message, answer.Verdict), out _)++;
        return answer;
    }

    public void Add(BranchCounts others)
    {
        foreach ((string what, int times) in others._counts)
        {
            Add(what, times);
        }

        foreach (((string, Verdict) answer, int times) in others._answers)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_answers, answer, out _) += times;
        }
    }
}
