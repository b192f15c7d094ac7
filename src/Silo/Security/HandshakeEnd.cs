namespace ConvNet.Silo.Security;

/// <summary>How a trial of a silo's port went.</summary>
internal enum HandshakeEnd
{
    /// <summary>Nobody answers, or not in time.</summary>
    Silence,

    /// <summary>The silo lets us in.</summary>
    Welcome,

    /// <summary>The silo speaks TLS; we have no certificate to show.</summary>
    Tls,

    /// <summary>Somebody is there who does not speak TLS.</summary>
    Plaintext,

    /// <summary>We don't trust the silo.</summary>
    NotTrusted,

    /// <summary>The silo does not trust us.</summary>
    Refused,
}
