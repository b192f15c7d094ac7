using System.Text.RegularExpressions;
using ConvNet.Engine.Errors;

namespace ConvNet.Silo.Clustering;

/// <summary>The URL of a cluster, taken apart.</summary>
internal sealed partial class ClusterUrl
{
    private const string Allowed =
        "use dev://host:port[?gateway=PORT] for one machine, e.g. dev://127.0.0.1:11111, or redis://host:port?id=NAME (rediss:// over TLS) for several";

    private ClusterUrl(string text, Uri uri, KeyValuePair<string, string>[] parameters) =>
        (Text, Scheme, Host, Port, Parameters) = (text, uri.Scheme, uri.Host.Trim('[', ']'), uri.Port, parameters);

    public string Text { get; }

    public string Scheme { get; }

    public string Host { get; }

    public int Port { get; }

    /// <summary>What follows the question mark, in order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Parameters { get; }

    /// <exception cref="ConvNetException">The text is none of these URLs (exit code 3).</exception>
    public static ClusterUrl Parse(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("dev" or "redis" or "rediss") || uri.Port <= 0
            || uri.AbsolutePath is not ("" or "/") || uri.Fragment.Length > 0)
        {
            throw ConvNetException.BadInput($"'{Printable(text)}' is no cluster URL; {Allowed}.");
        }

        if (uri.UserInfo.Length > 0)
        {
            throw ConvNetException.BadInput(
                $"'{Printable(text)}' names a user or a password, which a cluster URL never holds; " +
                "the password of Redis comes from a file: --redis-password-file FILE.");
        }

        return new ClusterUrl(
            text,
            uri,
            [
                .. uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries)
                    .Select(pair => pair.Split('=', 2))
                    .Select(pair => KeyValuePair.Create(pair[0], pair.Length == 2 ? pair[1] : "")),
            ]);
    }

    /// <summary>Without the parameters.</summary>
    public override string ToString() => Printable(Text);

    /// <summary>A URL of any kind without what may be secret in it: a user and a password, also if they hold '/' or '@', and parameters.</summary>
    private static string Printable(string text) => User().Replace(text, "$1***@").Split('?', 2)[0];

    [GeneratedRegex("^([a-z+]*://)?.*@", RegexOptions.Singleline | RegexOptions.IgnoreCase)]
    private static partial Regex User();
}
