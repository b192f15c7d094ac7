namespace ConvNet.Grains.Protocol.Jobs;

/// <summary>How a job takes shards from workers that are slow: at a step boundary at which it rests, so that no step is computed twice.</summary>
internal sealed partial class JobMachine
{
    private ShardBalance _balance = new(shape.Shards);

    /// <summary>A change of members deals the shards anyway.</summary>
    private void Rebalance()
    {
        if (!_members!.HasChanged && _balance.Move(_assignment!) is { } reason)
        {
            _members.Move(reason);
        }
    }
}
