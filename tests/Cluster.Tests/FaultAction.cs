namespace ConvNet.Cluster.Tests;

/// <summary>What becomes of the victim of a fault.</summary>
internal enum FaultAction
{
    /// <summary>kill -9.</summary>
    Kill,

    /// <summary>SIGSTOP, for good.</summary>
    Freeze,

    /// <summary>SIGSTOP, and SIGCONT when it has been given up.</summary>
    Suspend,

    /// <summary>SIGTERM.</summary>
    Terminate,

    /// <summary>Its machine is cut off from all others for a while.</summary>
    CutOff,

    /// <summary>Ends in order, and is started again after a while with its data.</summary>
    Restart,
}
