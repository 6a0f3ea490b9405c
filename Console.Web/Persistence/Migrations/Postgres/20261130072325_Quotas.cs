using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Plinth.Web.Persistence.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Quotas : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<int>(
                name: "DiskGib",
                table: "Vms",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<int>(
                name: "MemoryMib",
                table: "Vms",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<int>(
                name: "Vcpus",
                table: "Vms",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<string>(
                name: "Quota",
                table: "Projects",
                type: "text",
                nullable: false,
                defaultValue: "{}",
                collation: "C");

            migrationBuilder.AddColumn<string>(
                name: "Quota",
                table: "Organizations",
                type: "text",
                nullable: false,
                defaultValue: "{}",
                collation: "C");

            migrationBuilder.Sql("UPDATE \"Vms\" SET \"Vcpus\" = greatest((\"Spec\"::json #>> '{size,vcpus}')::int, coalesce((\"Spec\"::json #>> '{formerSize,vcpus}')::int, 0)), \"MemoryMib\" = greatest((\"Spec\"::json #>> '{size,memoryMib}')::int, coalesce((\"Spec\"::json #>> '{formerSize,memoryMib}')::int, 0)), \"DiskGib\" = greatest((\"Spec\"::json #>> '{size,diskGib}')::int, coalesce((\"Spec\"::json #>> '{formerSize,diskGib}')::int, 0))");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "DiskGib",
                table: "Vms");

            migrationBuilder.DropColumn(
                name: "MemoryMib",
                table: "Vms");

            migrationBuilder.DropColumn(
                name: "Vcpus",
                table: "Vms");

            migrationBuilder.DropColumn(
                name: "Quota",
                table: "Projects");

            migrationBuilder.DropColumn(
                name: "Quota",
                table: "Organizations");
        }
    }
}
