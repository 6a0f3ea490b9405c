using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Web;
using Plinth.EndToEnd.Tests.Lab;

namespace Plinth.EndToEnd.Tests;

/// <summary>Where the portal may stand: plain http on this machine only, https with the operator's certificate anywhere.</summary>
public sealed class PortalAddressTests : IDisposable
{
    private readonly string _files = Directory.CreateTempSubdirectory("plinth-portal-").FullName;

    public void Dispose() => Directory.Delete(_files, recursive: true);

    [Fact]
    public async Task Https_serves_people_and_programs_with_the_chain_of_its_certificate()
    {
        var (root, certificate, key) = Certificates();
        using (root)
        {
            await using var installation = new Installation(18750, "https://127.0.0.1:18750", root);
            var console = installation.Console;
            (console.Settings["Plinth__Portal__Certificate"], console.Settings["Plinth__Portal__CertificateKey"]) = (certificate, key);
            await console.Start();      // signs in as a program
            Assert.Equal(0, (await console.Get("projects/default/vms")).GetProperty("total").GetInt64());

            Assert.StartsWith("https://127.0.0.1:18750/sign-in?link=", console.SignInLink);
            using var browser = new HttpClient(PlinthConsole.Handler(root)) { BaseAddress = console.Http.BaseAddress };
            using var signedIn = await browser.PostAsync("/sign-in", new FormUrlEncodedContent([new("link", HttpUtility.ParseQueryString(new Uri(console.SignInLink!).Query)["link"])]));
            Assert.Equal(HttpStatusCode.Found, signedIn.StatusCode);
            Assert.Contains("; secure;", Assert.Single(signedIn.Headers.GetValues("Set-Cookie")));
            Assert.Equal("max-age=31536000", Assert.Single(signedIn.Headers.GetValues("Strict-Transport-Security")));

            using var plain = new HttpClient(PlinthConsole.Handler());
            await Assert.ThrowsAsync<HttpRequestException>(() => plain.GetAsync("http://127.0.0.1:18750/healthz"));
        }
    }

    [Fact]
    public async Task Plain_http_beyond_this_machine_and_unusable_certificates_are_refused_in_words()
    {
        Assert.Contains("would serve plain http beyond this machine; use https with Plinth:Portal:Certificate", await Refused("http://192.0.2.1:18755"));
        Assert.Contains("would serve plain http beyond this machine", await Refused("http://0.0.0.0:18755"));
        Assert.Contains("Plinth:Portal:Certificate is empty, but Plinth:Portal:Url is https", await Refused("https://192.0.2.1:18755"));
        var (root, certificate, _) = Certificates();
        root.Dispose();
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var strange = Path.Combine(_files, "strange.key");
        await File.WriteAllTextAsync(strange, other.ExportPkcs8PrivateKeyPem());
        var words = await Refused("https://127.0.0.1:18755", ("Plinth__Portal__Certificate", certificate), ("Plinth__Portal__CertificateKey", strange));
        Assert.Contains($"Plinth:Portal:Certificate = \"{certificate}\" cannot be used with Plinth:Portal:CertificateKey = \"{strange}\"", words);
    }

    private async Task<string> Refused(string url, params (string Key, string Value)[] settings)
    {
        var environment = settings.ToDictionary(s => s.Key, s => s.Value);
        (environment["Plinth__Data"], environment["Plinth__Portal__Url"]) = (Path.Combine(_files, "data"), url);
        await using var program = RunningProgram.Start(Repository.Server, [], environment);
        await program.End(TimeSpan.FromMinutes(1));
        Assert.Equal(2, program.ExitCode);
        Assert.False(Directory.Exists(Path.Combine(_files, "data")), "a refused start leaves nothing");
        return string.Join('\n', program.Lines);
    }

    /// <summary>Root, intermediate and the portal's own, as an authority of a company hands them out: the file holds the last two.</summary>
    private (X509Certificate2 Root, string Certificate, string Key) Certificates()
    {
        var (from, until) = (DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var root = Authority("CN=Root", rootKey).CreateSelfSigned(from, until);
        using var middleKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var middleAlone = Authority("CN=Intermediate", middleKey).Create(root, from, until, [1]);
        using var middle = middleAlone.CopyWithPrivateKey(middleKey);
        using var ownKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=portal", ownKey, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var own = request.Create(middle, from, until, [2]);
        var (certificate, key) = (Path.Combine(_files, "portal.pem"), Path.Combine(_files, "portal.key"));
        File.WriteAllText(certificate, own.ExportCertificatePem() + "\n" + middle.ExportCertificatePem() + "\n");
        File.WriteAllText(key, ownKey.ExportPkcs8PrivateKeyPem());
        return (root, certificate, key);
    }

    private static CertificateRequest Authority(string name, ECDsa key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        return request;
    }
}
