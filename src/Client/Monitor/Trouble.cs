namespace ConvNet.Client.Monitor;

/// <summary>A cluster does not answer.</summary>
/// <param name="What">Without a full stop.</param>
internal sealed record Trouble(string What, DateTimeOffset Since)
{
    public string Sentence => $"The cluster has not answered since {Since:HH:mm:ss}, trying again: {What}.";
}
