using Fal.Observability.Client.Benchmarks.Programs;

var address = new Uri(args[0] + "/serverless/metrics");
using var http = new HttpClient();
await MeasuredCall.RunAsync(args, () => http.GetStringAsync(address), text => text.Split('\n').Length);
