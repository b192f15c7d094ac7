using Xunit;

namespace ConvNet.Repository.Tests;

public sealed class TypeFileTests
{
    [Fact]
    public void A_type_that_other_files_use_stands_in_the_file_of_its_name() =>
        Findings.AssertNone(
            from file in SourceTree.Sources
            from type in file.Types
            where type != file.Concept
            let users = SourceTree.Sources.Where(other => other != file && other.Identifiers.Contains(type)).ToArray()
            where users.Length > 0
            select $"{type} stands in {file.Name}, but {users[0].Name} and {users.Length - 1} others use it");
}
