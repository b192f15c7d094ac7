using ConvNet.Engine.Errors;
using ConvNet.Engine.Optimizers;
using ConvNet.Engine.Parameters;
using ConvNet.Grains.Contracts.Messages;
using ConvNet.Grains.Contracts.Wire;

namespace ConvNet.Grains.Protocol.Partition;

/// <summary>
/// What a partition holds: the weights of a few versions, and the optimizer's slots of the newest. Whoever applies the same updates
/// to the same state has the same bits. Pure; not thread-safe.
/// <para>
/// Version t stays readable, and its memory unchanged, until t + 2 is applied. That is enough: a step is decided only after all
/// workers have reported it, and a worker reports only after it has pulled the step's version, so nobody needs t by then.
/// </para>
/// </summary>
public sealed class PartitionState
{
    private const int Ring = 3;

    private readonly OptimizerSpec _optimizer;
    private readonly float[][] _versions;
    private readonly float[][] _slots;

    /// <summary>All zeros.</summary>
    /// <param name="version">Steps that the weights have seen.</param>
    public PartitionState(PartitionPlan plan, OptimizerSpec optimizer, long version)
    {
        Plan = plan;
        _optimizer = optimizer;
        _versions = [.. Enumerable.Range(0, Ring).Select(_ => new float[plan.Length])];
        _slots = [.. optimizer.SlotNames.Select(_ => new float[plan.Length])];
        Version = version;
        Oldest = version;
    }

    public PartitionPlan Plan { get; }

    /// <summary>Steps applied or skipped so far; also the number of the open step.</summary>
    public long Version { get; private set; }

    /// <summary>The oldest version that is readable.</summary>
    public long Oldest { get; private set; }

    /// <summary>The weights and the optimizer's slots (<see cref="StateSlot"/>).</summary>
    public IEnumerable<int> Slots => [StateSlot.Weights, .. Enumerable.Range(0, _slots.Length)];

    /// <summary>Weights of the newest version.</summary>
    public ReadOnlySpan<float> Weights => _versions[Version % Ring];

    /// <summary>Fills the weights with their values before the first step; a pure function of the seed.</summary>
    public void Initialize(ulong seed, InitializationKind kind)
    {
        for (int tensor = 0; tensor < Plan.Layout.Tensors.Count; tensor++)
        {
            Parameter parameter = Plan.Layout.Tensors[tensor];
            if (!Plan.ChunksOfTensor(tensor).IsEmpty)
            {
                var values = new float[parameter.Count];
                Initialization.Fill(parameter, seed, kind, values);
                Plan.Gather(tensor, values, _versions[Version % Ring]);
            }
        }
    }

    /// <summary>Weights of a chunk at a readable version. The memory is this state's own: read it, never write it.</summary>
    public TensorBlock WeightsAt(long version, Chunk chunk) => new(_versions[version % Ring], chunk.Offset, chunk.Length);

    /// <summary>A chunk of the newest version: its weights or one of its slots. The next update overwrites slots in place.</summary>
    /// <param name="slot">See <see cref="StateSlot"/>.</param>
    public ReadOnlySpan<float> Read(int slot, Chunk chunk) => Storage(slot).AsSpan(chunk.Offset, chunk.Length);

    /// <summary>Overwrites a chunk of the newest version, which is then the only one that is readable.</summary>
    /// <exception cref="ConvNetException">The number of floats is not the chunk's.</exception>
    public void Install(int slot, Chunk chunk, ReadOnlySpan<float> values)
    {
        if (values.Length != chunk.Length)
        {
            throw ConvNetException.BadInput($"{values.Length} floats cannot be restored to chunk {chunk.Index}, which has {chunk.Length}.");
        }

        values.CopyTo(Storage(slot).AsSpan(chunk.Offset, chunk.Length));
        Oldest = Version;
    }

    /// <summary>Forgets what it holds: the state of this version is installed in pieces.</summary>
    public void Restart(long version) => (Version, Oldest) = (version, version);

    /// <summary>True if <paramref name="slot"/> is the weights or one of the optimizer's slots.</summary>
    public bool HasSlot(int slot) => slot == StateSlot.Weights || (uint)slot < (uint)_slots.Length;

    /// <summary>The next version: the update, or the same weights for a skipped step.</summary>
    /// <param name="settings">Null to skip.</param>
    /// <param name="gradients">Visits the step's whole gradient.</param>
    internal void Advance(StepSettings? settings, Action<GradientVisitor> gradients)
    {
        float[] weights = _versions[Version % Ring];
        float[] next = _versions[(Version + 1) % Ring];
        if (settings is { } update)
        {
            gradients((firstBlock, gradient) => Apply(update, weights, firstBlock, gradient, next));
        }
        else
        {
            weights.CopyTo(next, 0);
        }

        Version++;
        Oldest = Math.Max(Oldest, Version - 1);
    }

    private void Apply(StepSettings settings, float[] weights, int firstBlock, ReadOnlySpan<float> gradient, float[] next)
    {
        for (int i = 0; i < gradient.Length; i += Parameter.BlockSize)
        {
            int block = firstBlock + i / Parameter.BlockSize;
            int offset = block * Parameter.BlockSize;
            _optimizer.Apply(
                settings,
                settings.TensorRate(Plan.BlockAt(block).Tensor),
                weights.AsSpan(offset, Parameter.BlockSize),
                gradient.Slice(i, Parameter.BlockSize),
                SlotSpan(0, offset),
                SlotSpan(1, offset),
                next.AsSpan(offset, Parameter.BlockSize));
        }
    }

    private float[] Storage(int slot) => slot == StateSlot.Weights ? _versions[Version % Ring] : _slots[slot];

    private Span<float> SlotSpan(int slot, int offset) =>
        slot < _slots.Length ? _slots[slot].AsSpan(offset, Parameter.BlockSize) : [];
}
