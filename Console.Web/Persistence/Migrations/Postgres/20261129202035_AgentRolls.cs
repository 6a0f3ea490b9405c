using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Plinth.Web.Persistence.Migrations.Postgres
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
                type: "text",
                nullable: true,
                collation: "C");

            migrationBuilder.CreateTable(
                name: "AgentRolls",
                columns: table => new
                {
                    Operation = table.Column<Guid>(type: "uuid", nullable: false),
                    Roll = table.Column<string>(type: "text", nullable: false, collation: "C")
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
