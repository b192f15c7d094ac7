using ConvNet.Grains.Contracts.Wire;

namespace ConvNet.Grains.Contracts.Messages;

/// <summary>The answer to a request for floats.</summary>
/// <param name="Values">Null unless the answer is acknowledged and they are there; ask again after <see cref="Verdict.Future"/>.</param>
[GenerateSerializer, Immutable, Alias("ConvNet.BlockAnswer")]
public readonly record struct BlockAnswer([property: Id(0)] Answer Answer, [property: Id(1)] TensorBlock? Values = null)
{
    public Verdict Verdict => Answer.Verdict;

    public static implicit operator BlockAnswer(Answer answer) => new(answer);

    public static implicit operator BlockAnswer(TensorBlock values) => new(Verdict.Accepted, values);
}
