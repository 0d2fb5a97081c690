using System.Reflection.Metadata;
using Xunit;

namespace Fal.Observability.Client.IntegrationTests.Packages;

/// <summary>
/// The symbols of the packages hold their sources, so that a debugger steps into them without a network. <c>.ci/run</c> names the folder of
/// the packed symbols in <c>FAL_SYMBOLS</c>; otherwise those of this build are read.
/// </summary>
public sealed class SymbolTests
{
    /// <summary>The kind of debug information that is an embedded source, by the specification of portable PDBs.</summary>
    private static readonly Guid EmbeddedSource = new("0E8A571B-6926-466E-B4AD-8AB04611F5FE");

    [Theory]
    [InlineData("Fal.Observability.Client")]
    [InlineData("Fal.Observability.Client.Testing")]
    public void Every_document_of_the_symbols_has_its_source_embedded(string package)
    {
        string folder = Environment.GetEnvironmentVariable("FAL_SYMBOLS") ?? AppContext.BaseDirectory;
        using FileStream file = File.OpenRead(Path.Combine(folder, $"{package}.pdb"));
        using var provider = MetadataReaderProvider.FromPortablePdbStream(file);
        MetadataReader symbols = provider.GetMetadataReader();

        Assert.NotEmpty(symbols.Documents);
        Assert.Equal("", string.Join('\n',
            from document in symbols.Documents
            where !symbols.GetCustomDebugInformation(document)
                .Any(information => symbols.GetGuid(symbols.GetCustomDebugInformation(information).Kind) == EmbeddedSource)
            select symbols.GetString(symbols.GetDocument(document).Name)));
    }
}
