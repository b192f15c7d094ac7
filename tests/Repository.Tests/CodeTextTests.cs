using Xunit;

namespace ConvNet.Repository.Tests;

public sealed class CodeTextTests
{
    [Theory]
    [InlineData("a // b\nc", "a     \nc")]
    [InlineData("a /* b\n */ c", "a     \n    c")]
    [InlineData("f(\"//\", x)", "f(\"  \", x)")]
    [InlineData("f(\"a\\\"b\", x)", "f(\"    \", x)")]
    [InlineData("f(@\"a\"\"b\\\", x)", "f(@\"     \", x)")]
    [InlineData("f($\"{{a}} {b(\"c\")} d\")", "f($\"      {b(\" \")}  \")")]
    [InlineData("f(\"\"\"a \"b\" {c}\"\"\", x)", "f(\"             \", x)")]
    [InlineData("f($$\"\"\"{a} {{b}} c\"\"\")", "f($$\"       {b}     \")")]
    [InlineData("x == '\"' || x == '\\''", "x == ' ' || x == '  '")]
    public void Comments_and_literals_turn_blank_and_the_code_in_holes_stays(string text, string code) =>
        Assert.Equal(code, CodeText.Of(text));

    [Fact]
    public void The_code_of_every_source_file_keeps_its_length_and_closes_its_brackets()
    {
        Assert.InRange(SourceTree.Sources.Count, 300, 10_000);
        Findings.AssertNone(SourceTree.Sources
            .Where(file => file.Code.Length != file.Text.Length || file.Code.Count(c => c is '{' or '(' or '[') != file.Code.Count(c => c is '}' or ')' or ']'))
            .Select(file => $"{file.Name} is not read as the compiler reads it"));
    }
}
