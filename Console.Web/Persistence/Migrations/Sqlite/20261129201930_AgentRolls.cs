using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Plinth.Web.Persistence.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class AgentRolls : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "Executable",
                table: "Hosts",
                type: "TEXT",
                nullable: true,
                collation: "BINARY");

            migrationBuilder.CreateTable(
                name: "AgentRolls",
                columns: table => new
                {
                    Operation = table.Column<Guid>(type: "TEXT", nullable: false),
                    Roll = table.Column<string>(type: "TEXT", nullable: false, collation: "BINARY")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_AgentRolls", x => x.Operation);
                    table.ForeignKey(
                        name: "FK_AgentRolls_Operations_Operation",
                        column: x => x.Operation,
                        principalTable: "Operations",
                        principalColumn: "Id",
                        onDelete: ReferentialAction.Restrict);
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "AgentRolls");

            migrationBuilder.DropColumn(
                name: "Executable",
                table: "Hosts");
        }
    }
}
