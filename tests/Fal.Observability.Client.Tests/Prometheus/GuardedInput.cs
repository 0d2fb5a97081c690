using System.Buffers;
using System.Runtime.InteropServices;
using Xunit;

namespace Fal.Observability.Client.Tests.Prometheus;

/// <summary>
/// Memory between two pages without access. An input stands right before the one or right behind the other, so that reading a
/// byte outside of it ends the process. On Linux only; elsewhere an input is an array like any other.
/// </summary>
internal sealed unsafe partial class GuardedInput : MemoryManager<byte>
{
    private const int Capacity = 4 * 1024 * 1024;

    private readonly byte* _start;
    private readonly nuint _mapped;

    public GuardedInput()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        const int noAccess = 0;
        const int readAndWrite = 3;
        const int privateAndAnonymous = 0x22;
        int page = Environment.SystemPageSize;
        _mapped = (nuint)(Capacity + (2 * page));
        nint mapped = Map(0, _mapped, noAccess, privateAndAnonymous, -1, 0);
        Assert.NotEqual(-1, mapped);
        _start = (byte*)mapped + page;
        Assert.Equal(0, Protect((nint)_start, Capacity, readAndWrite));
    }

    /// <summary>Copies an input to one edge. It stands there until the next is placed.</summary>
    public ReadOnlyMemory<byte> Place(ReadOnlySpan<byte> input, bool atEnd)
    {
        if (_start is null)
        {
            return input.ToArray();
        }

        Memory<byte> place = Memory.Slice(atEnd ? Capacity - input.Length : 0, input.Length);
        input.CopyTo(place.Span);
        return place;
    }

    public override Span<byte> GetSpan() => new(_start, Capacity);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

    public override void Unpin()
    {
        // Nothing moves this memory.
    }

    protected override void Dispose(bool disposing)
    {
        if (_start is not null)
        {
            _ = Unmap((nint)_start - Environment.SystemPageSize, _mapped);
        }
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Unmap(nint address, nuint length);
}
