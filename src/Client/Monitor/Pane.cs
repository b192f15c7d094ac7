namespace ConvNet.Client.Monitor;

/// <summary>What a part of the screen shows. Those of the cluster come first, then those of a job.</summary>
internal enum Pane
{
    Jobs,
    AllWorkers,
    Silos,
    Curves,
    Workers,
    Servers,
    Events,
}
