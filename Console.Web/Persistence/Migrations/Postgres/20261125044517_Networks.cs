using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Plinth.Web.Persistence.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Networks : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "Rules",
                table: "Networks",
                type: "text",
                nullable: false,
                defaultValue: "[]",
                collation: "C");

            migrationBuilder.AddColumn<int>(
                name: "Vni",
                table: "Networks",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<string>(
                name: "Drops",
                table: "Hosts",
                type: "text",
                nullable: false,
                defaultValue: "[]",
                collation: "C");

            migrationBuilder.CreateTable(
                name: "NetworkAddresses",
                columns: table => new
                {
                    Network = table.Column<Guid>(type: "uuid", nullable: false),
                    Address = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Mac = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Vm = table.Column<Guid>(type: "uuid", nullable: false),
                    At = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_NetworkAddresses", x => new { x.Network, x.Address });
                    table.ForeignKey(
                        name: "FK_NetworkAddresses_Networks_Network",
                        column: x => x.Network,
                        principalTable: "Networks",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateIndex(
                name: "IX_Networks_Vni",
                table: "Networks",
                column: "Vni",
                unique: true,
                filter: "\"Vni\" <> 0");

            migrationBuilder.CreateIndex(
                name: "IX_NetworkAddresses_Network_Mac",
                table: "NetworkAddresses",
                columns: new[] { "Network", "Mac" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_NetworkAddresses_Vm",
                table: "NetworkAddresses",
                column: "Vm");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "NetworkAddresses");

            migrationBuilder.DropIndex(
                name: "IX_Networks_Vni",
                table: "Networks");

            migrationBuilder.DropColumn(
                name: "Rules",
                table: "Networks");

            migrationBuilder.DropColumn(
                name: "Vni",
                table: "Networks");

            migrationBuilder.DropColumn(
                name: "Drops",
                table: "Hosts");
        }
    }
}
