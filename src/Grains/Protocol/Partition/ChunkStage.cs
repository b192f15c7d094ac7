using System.Buffers;
using System.Runtime.Intrinsics;
using ConvNet.Engine.Reduction;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;
using ConvNet.Grains.Protocol.Steps;

namespace ConvNet.Grains.Protocol.Partition;

/// <summary>The sums of one chunk's gradients over the shards, while they arrive. Keeps copies in pooled arrays.</summary>
internal sealed class ChunkStage
{
    private readonly int _length;
    private readonly TreeCompletion<float[]> _sums;
    private readonly Dictionary<TreeNode, Fingerprint> _prints = [];
    private readonly List<float[]> _rented = [];

    public ChunkStage(ShardTree tree, int length)
    {
        _length = length;
        _sums = new TreeCompletion<float[]>(tree, Combine);
    }

    public bool IsComplete => _sums.IsComplete;

    /// <summary>The gradient of the whole batch; valid when complete and until <see cref="Release"/>.</summary>
    public ReadOnlySpan<float> Sum => _sums.Result.AsSpan(0, _length);

    /// <summary>The same, to be sent.</summary>
    public TensorBlock Block => new(_sums.Result!, 0, _length);

    /// <summary>What has arrived of a node, or null.</summary>
    public Fingerprint? PrintOf(TreeNode node) => _prints.TryGetValue(node, out Fingerprint print) ? print : null;

    /// <summary>Adds the value of a node that this step expects, unless it is known already.</summary>
    /// <param name="bad">The index of the first value that is not finite, or −1; looked for only in what is accepted, before it is added.</param>
    public Verdict Offer(TreeNode node, ReadOnlySpan<float> gradient, out int bad)
    {
        bad = -1;
        UInt128 digest = Digest.Of(gradient);
        if (_prints.TryGetValue(node, out Fingerprint known))
        {
            return known.Digest == digest ? Verdict.Duplicate : Verdict.Conflict;
        }

        bad = FirstNonFinite(gradient);
        _prints.Add(node, new Fingerprint(digest, IsFinite: bad < 0));
        float[] copy = ArrayPool<float>.Shared.Rent(_length);
        _rented.Add(copy);
        gradient.CopyTo(copy);
        _sums.Offer(node, copy);
        return Verdict.Accepted;
    }

    /// <summary>Gives the memory back; the stage is of no use afterwards.</summary>
    public void Release()
    {
        foreach (float[] array in _rented)
        {
            ArrayPool<float>.Shared.Return(array);
        }

        _rented.Clear();
    }

    /// <summary>The index of the first value that is not finite, or −1.</summary>
    public static int FirstNonFinite(ReadOnlySpan<float> values)
    {
        var magnitude = Vector256.Create(0x7FFFFFFF);
        var largest = Vector256.Create(0x7F7FFFFF);
        int i = 0;
        for (; i <= values.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            Vector256<int> bits = Vector256.Create(values.Slice(i, Vector256<float>.Count)).AsInt32() & magnitude;
            if (Vector256.GreaterThanAny(bits, largest))
            {
                break;
            }
        }

        for (; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
            {
                return i;
            }
        }

        return -1;
    }

    private float[] Combine(float[] left, float[] right)
    {
        for (int i = 0; i < _length; i += Vector256<float>.Count)
        {
            (Vector256.Create(left.AsSpan(i)) + Vector256.Create(right.AsSpan(i))).CopyTo(left, i);
        }

        _rented.Remove(right);
        ArrayPool<float>.Shared.Return(right);
        return left;
    }
}
