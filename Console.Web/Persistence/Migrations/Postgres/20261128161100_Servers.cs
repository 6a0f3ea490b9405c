using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Plinth.Web.Persistence.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Servers : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "Owner",
                table: "WorkerLeases");

            migrationBuilder.AddColumn<Guid>(
                name: "Holder",
                table: "WorkerLeases",
                type: "uuid",
                nullable: false,
                defaultValue: new Guid("00000000-0000-0000-0000-000000000000"));

            migrationBuilder.AddColumn<long>(
                name: "Since",
                table: "WorkerLeases",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.CreateTable(
                name: "Servers",
                columns: table => new
                {
                    Id = table.Column<Guid>(type: "uuid", nullable: false),
                    Name = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    PortalUrl = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    HubUrl = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    ProductVersion = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    StartedAt = table.Column<long>(type: "bigint", nullable: false),
                    SeenAt = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Servers", x => x.Id);
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "Servers");

            migrationBuilder.DropColumn(
                name: "Holder",
                table: "WorkerLeases");

            migrationBuilder.DropColumn(
                name: "Since",
                table: "WorkerLeases");

            migrationBuilder.AddColumn<string>(
                name: "Owner",
                table: "WorkerLeases",
                type: "text",
                nullable: false,
                defaultValue: "",
                collation: "C");
        }
    }
}
