using Fal.Observability.Client.Benchmarks.Programs;

var address = new Uri(args[0] + "/serverless/metrics");
using var http = new HttpClient();
if (args is [_, "calls"])
{
    await CallLoop.RunAsync(() => http.GetStringAsync(address));
    return;
}

string text = await http.GetStringAsync(address);
Console.WriteLine(text.Split('\n').Length);
if (args is [_, "stay"])
{
    await Task.Delay(Timeout.Infinite);
}
