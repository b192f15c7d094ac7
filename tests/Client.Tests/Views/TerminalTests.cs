using System.Text.Json;
using ConvNet.Client.Views;
using ConvNet.Silo.Processes;
using Xunit;

namespace ConvNet.Client.Tests.Views;

public sealed class TerminalTests
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    [Theory]
    [InlineData("cat\e[31m", "cat\\u{1b}[31m")]
    [InlineData("\a\b\r\t\u007f", "\\u{7}\\u{8}\\u{d}\\u{9}\\u{7f}")]
    [InlineData("\u0085\u009b2J", "\\u{85}\\u{9b}2J")]
    [InlineData("\u202egnp.exe\u2066\u200f\u061c", "\\u{202e}gnp.exe\\u{2066}\\u{200f}\\u{61c}")]
    [InlineData("a\u2028b\u2029c", "a\\u{2028}b\\u{2029}c")]
    [InlineData("Käfer 甲虫 🐞", "Käfer 甲虫 🐞")]
    [InlineData("two\nlines", "two\nlines")]
    public void Lines_of_both_streams_are_printable(string text, string expected)
    {
        Terminal terminal = Plain();

        terminal.Out.WriteLine(text);
        terminal.Error.Write(text);
        terminal.Error.WriteLine();
        terminal.Error.Write(text.ToCharArray());

        Assert.Equal(expected + Environment.NewLine, _output.ToString());
        Assert.Equal(expected + Environment.NewLine + expected, _error.ToString());
    }

    [Fact]
    public void A_name_stays_on_its_line() => Assert.Equal("a\\u{a}error: b", Plain().Printable("a\nerror: b"));

    [Fact]
    public void A_locale_without_unicode_gets_ascii()
    {
        var terminal = new Terminal(_output, _error, IsInteractive: false, UsesColor: false, IsUnicode: false);

        terminal.Out.WriteLine("Käfer 🐞");

        Assert.Equal("K\\u{e4}fer \\u{1f41e}", _output.ToString().TrimEnd());
    }

    [Fact]
    public void Json_passes_as_it_is()
    {
        string line = JsonSerializer.Serialize(new Dictionary<string, string> { ["name"] = "\e[31m\u202ecat\n" });

        Plain().Out.WriteLine(line);

        Assert.Equal(line + Environment.NewLine, _output.ToString());
        Assert.Equal("\e[31m\u202ecat\n", JsonDocument.Parse(_output.ToString()).RootElement.GetProperty("name").GetString());
    }

    [Theory]
    [InlineData("", "", "", true)]
    [InlineData("", "", "de_DE.UTF-8", true)]
    [InlineData("", "en_US.utf8", "C", true)]
    [InlineData("C", "en_US.utf8", "en_US.utf8", false)]
    [InlineData("", "", "de_DE.ISO-8859-1", false)]
    [InlineData("POSIX", "", "", false)]
    public void The_locale_says_whether_more_than_ascii_is_shown(string all, string type, string lang, bool expected)
    {
        var environment = new Dictionary<string, string> { ["LC_ALL"] = all, ["LC_CTYPE"] = type, ["LANG"] = lang };

        Assert.Equal(expected, StandardStream.ShowsUnicode(name => environment[name]));
    }

    private Terminal Plain() => new(_output, _error, IsInteractive: false, UsesColor: false);
}
